#!/bin/sh
# usage: boards.sh ARM_COMPILER
# The module of Zephyr, the component of ESP-IDF, the package of RIOT and the
# libraries of PlatformIO and Arduino build, under what stands for these systems'
# builds. The example for boards runs.
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
        -DCONFIG_BITFIT_NO_INDEX=$tiny -DCONFIG_BITFIT_NO_GUARD=$tiny
    symbols "$work/zephyr-$tiny/module/libzephyr_module.a" >"$work/symbols"
    grep -q '^T bitfit_alloc$' "$work/symbols"
    grep -q '^W bitfit_trap$' "$work/symbols"
    found=ON
    if grep -q ' bf_tree_' "$work/symbols"; then found=OFF; fi
    [ $found = $tiny ]
    found=ON
    if grep -q ' guard_write' "$work/symbols"; then found=OFF; fi
    [ $found = $tiny ]
done
build zephyr-small -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_C_COMPILER="$1" \
    -DCMAKE_C_FLAGS="$arm" -DCONFIG_BITFIT=ON -DCONFIG_BITFIT_SMALL=ON
symbols "$work/zephyr-small/module/libzephyr_module.a" >"$work/symbols"
grep -q '^T bitfit_alloc$' "$work/symbols"
if grep ' bitfit_aligned_alloc$' "$work/symbols"; then exit 1; fi
build zephyr-none
[ ! -e "$work/zephyr-none/module/libzephyr_module.a" ]

echo 'ESP-IDF'
build esp-idf -DESP_PLATFORM=1
symbols "$work/esp-idf/component/libidf_component.a" >"$work/symbols"
grep -q '^T bitfit_alloc$' "$work/symbols"
grep -q '^U pthread_mutex_lock' "$work/symbols"
"$work/esp-idf/example" >"$work/output"
grep -q '^two buffers: 5120 bytes live, largest hole ' "$work/output"
grep -q '^none: 0 bytes live, largest hole ' "$work/output"

echo 'RIOT'
mkdir -p "$work/riot/pkg" "$work/riot/bin" "$work/riot/local"
cp -R "$root/include" "$root/src" "$work/riot/local"
quietly env CFLAGS="-std=gnu11 $arm" INCLUDES='' make -j 2 \
    -f "$root/tests/packages/riot/application.mk" all PACKAGE="$root/ports/riot/bitfit" \
    RIOTBASE="$root/tests/packages/riot" PKGDIRBASE="$work/riot/pkg" BINDIR="$work/riot/bin" CC="$1" AR=ar \
    PKG_SOURCE_LOCAL_BITFIT="$work/riot/local"
symbols "$work/riot/bin/bitfit.a" >"$work/symbols"
grep -q '^T bitfit_alloc$' "$work/symbols"
grep -q '^W bitfit_trap$' "$work/symbols"

echo 'PlatformIO'
flags=$(sed -n 's/^ *"flags": \["\(.*\)"\],*$/\1/p' "$root/library.json")
[ -n "$flags" ]
for source in "$root"/src/*.c; do
    # shellcheck disable=SC2086 # lists
    "$1" -std=gnu11 $arm $flags -I"$root/include" -c "$source" \
        -o "$work/object.o"
done

echo 'Arduino'
"$root/packaging/arduino/make" "$work/arduino"
cat >"$work/Arduino.h" <<'END'
struct Printer {
    void begin(long);
    void print(const char *);
    void print(unsigned long);
    void println(const char *);
};
extern Printer Serial;
END
# shellcheck disable=SC2086 # lists
"$1" -std=gnu11 $arm -c "$work/arduino/src/bitfit.c" -o "$work/bitfit.o"
# shellcheck disable=SC2086 # lists
"$1" -x c++ -std=gnu++11 $arm -include "$work/Arduino.h" -I"$work/arduino/src" \
    -c "$work/arduino/examples/bitfit/bitfit.ino" -o "$work/sketch.o"
symbols "$work/bitfit.o" >"$work/symbols"
grep -q '^W bitfit_trap$' "$work/symbols"
if grep '^U pthread' "$work/symbols"; then exit 1; fi

echo 'examples/board'
# shellcheck disable=SC2086 # lists
"$1" -std=c11 -mcpu=cortex-m3 -mthumb -Os -Wall -Wextra -Werror \
    -DBITFIT_FREESTANDING=1 -I"$root/include" "$root/examples/board/main.c" \
    "$root"/src/*.c --specs=picolibc.specs --oslib=semihost --crt0=hosted \
    -Wl,--defsym=__flash=0 -Wl,--defsym=__flash_size=0x400000 \
    -Wl,--defsym=__ram=0x20000000 -Wl,--defsym=__ram_size=0x400000 \
    -o "$work/board.elf"
qemu-system-arm -M mps2-an385 -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$work/board.elf" \
    </dev/null >"$work/output" 2>&1
printf '%s\n' 'bitfit_free: double free' '48 bytes in use, 160 at most' |
    while read -r line; do grep "^$line" "$work/output"; done
