#!/bin/sh
# usage: board.sh RUSTC CARGO SOURCE ARM_COMPILER FOLDER
# The crate on an emulated Cortex-M3. SOURCE is the source of Rust's own
# libraries, of which core is built in FOLDER, once. A static pool without a
# choice of lock does not compile; under the critical section it runs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rustc=$1 cargo=$2 source=$3 compiler=$4 folder=$5
target=thumbv7m-none-eabi
libraries=$folder/sysroot/lib/rustlib/$target/lib
mkdir -p "$libraries"

# library NAME FILE OPTION...
library() {
    name=$1 file=$2
    shift 2
    [ -e "$libraries/lib$name-board.rlib" ] ||
        RUSTC_BOOTSTRAP=1 "$rustc" --crate-name "$name" --crate-type rlib \
            --edition 2021 --target $target -Copt-level=1 -Cpanic=abort \
            -Cmetadata=board --cap-lints allow "$@" "$file" \
            -o "$libraries/lib$name-board.rlib"
}

# What core asks of compiler_builtins, the C compiler's library has.
printf '#![feature(compiler_builtins)]\n#![compiler_builtins]\n#![no_std]\n' \
    >"$folder/builtins.rs"
library core "$source/core/src/lib.rs"
library compiler_builtins "$folder/builtins.rs" --sysroot "$folder/sysroot"

build() {
    CARGO_HOME="$folder/home" CARGO_TARGET_DIR="$folder/target" \
        RUSTC="$rustc" RUSTFLAGS="--sysroot=$folder/sysroot" \
        "$cargo" build --offline --locked --release --target $target \
        --manifest-path "$here/board/Cargo.toml" "$@" >"$folder/log" 2>&1
}

if build; then
    echo 'a static pool without a lock compiles'
    exit 1
fi
grep -q 'static HEAP' "$folder/log"
grep 'cannot be shared between threads safely' "$folder/log"

build --features critical-section || {
    cat "$folder/log"
    exit 1
}
"$compiler" -mcpu=cortex-m3 -mthumb \
    --specs=picolibc.specs --oslib=semihost --crt0=hosted \
    -Wl,--defsym=__flash=0 -Wl,--defsym=__flash_size=0x400000 \
    -Wl,--defsym=__ram=0x20000000 -Wl,--defsym=__ram_size=0x400000 \
    -Wl,--gc-sections -u main "$folder/target/$target/release/libboard.a" \
    -o "$folder/board.elf"
qemu-system-arm -M mps2-an385 -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native \
    -kernel "$folder/board.elf" </dev/null >"$folder/output" 2>&1
cat "$folder/output"
grep -q '^board: ok' "$folder/output"
