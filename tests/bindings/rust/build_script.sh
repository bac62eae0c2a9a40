#!/bin/sh
# usage: build_script.sh RUSTC CC
# The crate's build script, run as cargo would for one target after the other,
# with no tools but those that stand in for them and write down their names: it
# takes the target's own, and never this machine's compiler for another machine.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
host=x86_64-unknown-linux-gnu

"$1" --edition 2021 "$root/bindings/rust/build.rs" -o "$work/build"
mkdir "$work/tools"
for tool in cc ar arm-none-eabi-gcc arm-none-eabi-ar riscv64-unknown-elf-gcc \
    riscv64-unknown-elf-ar s390x-linux-gnu-gcc s390x-linux-gnu-ar mycc myar; do
    printf '#!/bin/sh\necho "%s $*" >>"%s"\n' $tool "$work/called" \
        >"$work/tools/$tool"
    chmod +x "$work/tools/$tool"
done
# This one is real.
ln -s "$(command -v "$2")" "$work/tools/realcc"

# script TARGET ARCH WIDTH OS VARIABLE=...
script() {
    target=$1 arch=$2 width=$3 os=$4
    shift 4
    rm -rf "$work/out" "$work/called"
    mkdir "$work/out"
    touch "$work/called"
    env -i PATH="$work/tools" "$@" HOST=$host TARGET="$target" \
        OUT_DIR="$work/out" CARGO_MANIFEST_DIR="$root/bindings/rust" \
        CARGO_CFG_TARGET_OS="$os" CARGO_CFG_TARGET_ARCH="$arch" \
        CARGO_CFG_TARGET_FAMILY=unix CARGO_CFG_TARGET_POINTER_WIDTH="$width" \
        "$work/build" >"$work/log" 2>&1
}

# uses COMPILER ARCHIVER TARGET ...
uses() {
    compiler=$1 archiver=$2
    shift 2
    script "$@" || {
        cat "$work/log"
        exit 1
    }
    names=$(sed 's/ .*//' "$work/called" | sort -u | tr '\n' ' ')
    wanted=$(printf '%s\n' "$compiler" "$archiver" | sort | tr '\n' ' ')
    echo "$1: $names"
    [ "$names" = "$wanted" ]
}

# refuses TEXT TARGET ...
refuses() {
    text=$1
    shift
    if script "$@"; then
        echo "$1: built"
        cat "$work/called"
        exit 1
    fi
    grep -e "$text" "$work/log"
}

uses cc ar $host x86_64 64 linux
uses mycc ar $host x86_64 64 linux CC=mycc
uses arm-none-eabi-gcc arm-none-eabi-ar thumbv7m-none-eabi arm 32 none
grep -q -e '-mthumb -march=armv7-m .*-ffreestanding\|-ffreestanding.*-mthumb -march=armv7-m' \
    "$work/called"
uses arm-none-eabi-gcc arm-none-eabi-ar thumbv6m-none-eabi arm 32 none
uses riscv64-unknown-elf-gcc riscv64-unknown-elf-ar \
    riscv32imac-unknown-none-elf riscv32 32 none
uses s390x-linux-gnu-gcc s390x-linux-gnu-ar \
    s390x-unknown-linux-gnu s390x 64 linux
uses mycc myar thumbv7em-none-eabihf arm 32 none \
    CC_thumbv7em_none_eabihf=mycc AR_thumbv7em_none_eabihf=myar CC=cc AR=ar
uses mycc myar xtensa-esp32-none-elf xtensa 32 none CC=mycc AR=myar

refuses 'name a C compiler for xtensa-esp32-none-elf in CC_xtensa' \
    xtensa-esp32-none-elf xtensa 32 none
grep cc "$work/called" && exit 1
refuses 'name a C compiler for aarch64-apple-darwin' \
    aarch64-apple-darwin aarch64 64 macos
rm "$work/tools/arm-none-eabi-gcc"
refuses 'no C compiler for thumbv7m-none-eabi: arm-none-eabi-gcc: ' \
    thumbv7m-none-eabi arm 32 none
# The user may be wrong, too.
refuses 'realcc does not compile for thumbv7m-none-eabi' \
    thumbv7m-none-eabi arm 32 none CC=realcc AR=ar
refuses 'realcc does not compile for aarch64-unknown-linux-gnu' \
    aarch64-unknown-linux-gnu aarch64 64 linux CC=realcc AR=ar
