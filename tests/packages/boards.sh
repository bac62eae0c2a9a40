#!/bin/sh
# usage: boards.sh ARM_COMPILER
# The module of Zephyr, the component of ESP-IDF and the library of PlatformIO
# build, under what stands for these systems' builds.
. "$(dirname "$0")/common.sh"
arm="-mcpu=cortex-m4 -mthumb -Os -Wall -Wextra -Werror"

# build NAME OPTION...: fills $work/NAME with libraries.
build() {
    name=$1
    shift
    quietly cmake -S "$root/tests/packages/boards" -B "$work/$name" \
        -DBITFIT_SOURCE="$root" "$@"
    quietly cmake --build "$work/$name" -j 2
}

# symbols LIBRARY: what it has and what it needs.
symbols() {
    nm "$1" | awk 'NF > 1 { print $(NF - 1), $NF }' | sort -u
}

echo 'Zephyr'
for tiny in OFF ON; do
    build zephyr-$tiny -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_C_COMPILER="$1" \
        -DCMAKE_C_FLAGS="$arm" -DCONFIG_BITFIT=ON \
        -DCONFIG_BITFIT_NO_INDEX=$tiny
    symbols "$work/zephyr-$tiny/module/libzephyr_module.a" >"$work/symbols"
    grep -q '^T bitfit_alloc$' "$work/symbols"
    grep -q '^W bitfit_trap$' "$work/symbols"
    found=ON
    if grep -q '^U bf_tree_' "$work/symbols"; then found=OFF; fi
    [ $found = $tiny ]
done
build zephyr-none
[ ! -e "$work/zephyr-none/module/libzephyr_module.a" ]

echo 'ESP-IDF'
build esp-idf -DESP_PLATFORM=1
symbols "$work/esp-idf/component/libidf_component.a" >"$work/symbols"
grep -q '^T bitfit_alloc$' "$work/symbols"
grep -q '^U pthread_mutex_lock' "$work/symbols"

echo 'PlatformIO'
flags=$(sed -n 's/^ *"flags": \["\(.*\)"\],*$/\1/p' "$root/library.json")
[ -n "$flags" ]
for source in "$root"/src/*.c; do
    # shellcheck disable=SC2086 # lists
    "$1" -std=gnu11 $arm $flags -I"$root/include" -c "$source" \
        -o "$work/object.o"
done
