#!/bin/sh
# usage: same-board.sh REFERENCE COMPILER FLAG...
# As same.sh for an emulated Cortex-M3 board: the core is freestanding, the
# program prints by semihosting. FLAGs are for the core.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
reference=$1 compiler=$2
shift 2

cpu='-mcpu=cortex-m3 -mthumb -Os -std=c11'
for source in "$root"/src/*.c; do
    # shellcheck disable=SC2086 # lists
    "$compiler" $cpu $WARNINGS -Werror -ffreestanding "$@" -I"$root/include" \
        -c "$source" -o "$work/$(basename "$source" .c).o"
done
# shellcheck disable=SC2086 # a list
"$compiler" $cpu --specs=picolibc.specs --oslib=semihost --crt0=hosted \
    -Wl,--defsym=__flash=0 -Wl,--defsym=__flash_size=0x400000 \
    -Wl,--defsym=__ram=0x20000000 -Wl,--defsym=__ram_size=0x400000 \
    -I"$root/include" "$root/tests/build/everywhere.c" "$work"/*.o \
    -o "$work/program.elf"

"$reference" >"$work/expected"
qemu-system-arm -M mps2-an385 -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native \
    -kernel "$work/program.elf" </dev/null >"$work/actual" 2>&1 || {
    cat "$work/actual"
    echo "the program failed"
    exit 1
}
diff "$work/expected" "$work/actual"
cat "$work/actual"
