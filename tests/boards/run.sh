#!/bin/sh
# usage: run.sh PLATFORM[-OPTION] PROGRAM...
# Builds test programs of tests/pool for a platform, with all of the core, and
# runs them there: on a machine that QEMU emulates, as a process under QEMU, or
# in node. OPTION is one of the core's build: no-index, no-simd, word32, small.
# The programs `digest-4K` and `digest-256K` are tests/build/everywhere.c with a
# pool of that size, and `digest-small` is tests/build/places.c: they have to
# print the same on every platform.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/boards
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=$1
shift

options= platform=$name
case $name in
*-no-index) options=-DBITFIT_NO_INDEX platform=${name%-no-index} ;;
*-no-simd) options=-DBITFIT_NO_SIMD platform=${name%-no-simd} ;;
*-small) options=-DBITFIT_SMALL platform=${name%-small} ;;
*-word32) options=-DBITFIT_WORD_BITS=32 platform=${name%-word32} ;;
esac

# What every machine without a system is compiled with. Their picolibc prints
# and exits by semihosting.
bare='-O2 -DBITFIT_FREESTANDING=1 --specs=picolibc.specs --oslib=semihost
    --crt0=hosted'
semihosting='-nographic -monitor none -serial none -semihosting-config
    enable=on,target=native'

# memory FLASH SIZE RAM SIZE
memory() {
    echo "-Wl,--defsym=__flash=$1 -Wl,--defsym=__flash_size=$2 \
        -Wl,--defsym=__ram=$3 -Wl,--defsym=__ram_size=$4"
}

# arm CPU MACHINE FLASH SIZE RAM SIZE
arm() {
    compile="arm-none-eabi-gcc -mcpu=$1 -mthumb $bare $(memory "$3" "$4" "$5" "$6")"
    run="qemu-system-arm -M $2 $semihosting -kernel"
}

# riscv BITS MARCH MABI
riscv() {
    compile="riscv64-unknown-elf-gcc -march=$2 -mabi=$3 -mcmodel=medany $bare
        $(memory 0x80000000 0x400000 0x80400000 0x1000000)"
    run="qemu-system-riscv$1 -M virt -bios none $semihosting -kernel"
}

# linux COMPILER RUNNER
linux() {
    compile="$1 -O2 -static -pthread"
    run=$2
}

case $platform in
microbit) arm cortex-m0 microbit 0 0x40000 0x20000000 0x4000 ;;
cortex-m0) arm cortex-m0 mps2-an385 0 0x400000 0x20000000 0x400000 ;;
cortex-m3) arm cortex-m3 mps2-an385 0 0x400000 0x20000000 0x400000 ;;
cortex-m4) arm cortex-m4 mps2-an386 0 0x400000 0x20000000 0x400000 ;;
cortex-m7) arm cortex-m7 mps2-an500 0 0x400000 0x20000000 0x400000 ;;
cortex-m33) arm cortex-m33 mps2-an505 0x10000000 0x400000 0x38000000 0x400000 ;;
cortex-m55) arm cortex-m55 mps3-an547 0 0x80000 0x60000000 0x1000000 ;;
riscv32) riscv 32 rv32imac ilp32 ;;
riscv64) riscv 64 rv64gc lp64d ;;
native) linux "${CC:-cc}" '' ;;
i386) linux i686-linux-gnu-gcc qemu-i386 ;;
armhf) linux arm-linux-gnueabihf-gcc qemu-arm ;;
aarch64) linux aarch64-linux-gnu-gcc qemu-aarch64 ;;
s390x) linux s390x-linux-gnu-gcc qemu-s390x ;;
ppc64le) linux powerpc64le-linux-gnu-gcc qemu-ppc64le ;;
wasm32)
    compile="clang --target=wasm32-wasi --sysroot=/usr -O2
        -DBITFIT_FREESTANDING=1 -I$here/wasm -z stack-size=1048576"
    run="node --no-warnings $here/wasm/run.mjs"
    ;;
*)
    echo "there is no platform $platform" >&2
    exit 2
    ;;
esac

# Tests that ask for more than the platform has: a mutex, tens of MiB, a mutex
# of 40 bytes, or a TiB of addresses, each page of which QEMU keeps in mind for
# a process.
left_out= emulated=
huge="indexes_above_2_to_the_32_are_told_from_lower_ones
    counts_above_2_to_the_31_are_told_apart
    holes_of_2_to_the_31_are_passed_in_few_words"
case $platform in
aarch64) left_out="tiny_pool_with_everything_inside $huge" emulated=32 ;;
s390x | ppc64le) left_out=$huge emulated=32 ;;
i386 | armhf) emulated=28 ;;
native) ;;
*)
    left_out="init_without_options_takes_the_defaults
        tiny_pool_with_everything_inside a_mutex_notices_a_reentry
        walk_callback_reentry_is_caught
        calls_under_bitfit_lock_are_reentries handler_may_call_the_pool
        handler_may_leave_by_longjmp every_lock_kind_serves
        bytes_for_gives_a_pool_of_n_granules
        few_holes_far_apart_are_found_in_order two_million_granules"
    ;;
esac

# The tests of exhaust and random take minutes: they are run in turns, one test
# of 12 in each, by a program for each. The three machines of a row share the
# turns; an emulated process has all.
turns=all machines=1
case $platform in
cortex-m0 | cortex-m7 | riscv32) turns='0 3 6 9' machines=3 ;;
cortex-m3 | cortex-m33 | riscv64) turns='1 4 7 10' machines=3 ;;
cortex-m4 | cortex-m55) turns='2 5 8 11' machines=3 ;;
i386 | armhf | aarch64 | s390x | ppc64le) turns='0 1 2 3 4 5 6 7 8 9 10 11' ;;
esac

# object SOURCE FLAG...: adds its object to $objects, which is made once.
object() {
    source=$1
    shift
    object=$work/$(echo "$source $*" | tr -c '[:alnum:]\n' _).o
    # shellcheck disable=SC2086 # lists
    [ -f "$object" ] ||
        $compile $options "$@" -std=gnu11 \
            "-DBOARD_LEFT_OUT=\"$(echo $left_out)\"" -I"$here" \
            -I"$root/include" -I"$root/src" -I"$root/tests/pool" \
            -c "$root/$source" -o "$object"
    objects="$objects $object"
}

# build PROGRAM: as $work/program.
build() {
    sources="tests/pool/$1.c tests/pool/support.c tests/pool/model.c"
    flags= core_flags= turn_flags=
    case $1 in
    digest-4K)
        sources=tests/build/everywhere.c flags=-DEVERYWHERE_GRANULES=256
        ;;
    digest-256K) sources=tests/build/everywhere.c ;;
    digest-small) sources=tests/build/places.c ;;
    small) sources="tests/pool/small.c tests/pool/model.c" ;;
    static_pools) sources=tests/pool/static_pools.c ;;
    bounded)
        sources="$sources tests/pool/touch.c"
        flags=-DBITFIT_TOUCH_IS_SEEN core_flags=-fsanitize=thread
        [ -z "$emulated" ] || flags="$flags -DBOARD_LARGEST_SHIFT=$emulated"
        ;;
    carve | copy) sources="$sources malloc/carve.c" ;;
    misuse)
        sources="$sources tests/pool/misuses.c"
        [ -z "$emulated" ] || flags="-include $here/emulated.h"
        ;;
    esac
    [ "$turn" = all ] ||
        turn_flags="-DBOARD_TURNS=12 -DBOARD_TURN=$turn -DBOARD_MACHINES=$machines"
    objects=
    for source in "$root"/src/*.c; do
        object "${source#"$root/"}" $core_flags
    done
    # shellcheck disable=SC2086 # lists
    for source in $sources; do
        object "$source" $flags
    done
    # shellcheck disable=SC2086 # lists
    case $1 in
    digest*) ;;
    *) object tests/boards/cmocka.c $flags $turn_flags ;;
    esac
    # shellcheck disable=SC2086 # lists
    $compile $objects -o "$work/program" -lm
}

# run PROGRAM: builds it and runs it, in its turn.
run() {
    build "$1"
    code=0
    # shellcheck disable=SC2086 # a list
    timeout 280 $run "$work/program" </dev/null >"$work/output" 2>&1 || code=$?
    case $1 in
    digest*) sed "s/^/$1: /" "$work/output" ;;
    *) sed "s/^/$name: /" "$work/output" ;;
    esac
    [ $code = 0 ] || {
        echo "$name: $1 ended with $code"
        exit 1
    }
}

for program in "$@"; do
    turn=all
    case $program in
    exhaust | random) for turn in $turns; do run "$program"; done ;;
    *) run "$program" ;;
    esac
done
