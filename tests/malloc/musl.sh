#!/bin/sh
# usage: musl.sh MUSL-GCC GCC
# The library builds with musl, and a program runs on it: its second free of a
# block is caught, which musl does not do.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# musl comes without the kernel's headers; glibc's must stay out of sight.
mkdir "$work/kernel"
for folder in linux asm-generic; do
    ln -s "/usr/include/$folder" "$work/kernel/"
done
ln -s "/usr/include/$("$2" -print-multiarch)/asm" "$work/kernel/"

"$1" -std=gnu11 -D_GNU_SOURCE -O2 -fPIC -fvisibility=hidden -shared \
    -I"$root/include" -idirafter "$work/kernel" \
    -fno-builtin -ftls-model=initial-exec \
    "$root"/malloc/*.c "$root"/src/*.c \
    -Wl,--version-script="$root/malloc/bitfit-malloc.map" \
    -Wl,-z,nodelete -Wl,-z,now -o "$work/libbitfit-malloc.so"
"$1" -O1 -fno-builtin "$root/tests/malloc/musl.c" -o "$work/program"

code=0
timeout 100 env LD_PRELOAD="$work/libbitfit-malloc.so" BITFIT_POOL=64M \
    "$work/program" >"$work/out" 2>"$work/err" || code=$?
cat "$work/out" "$work/err"
[ "$(cat "$work/out")" = fine ]
[ $code = 134 ]
grep -q '^bitfit: double free: free(0x' "$work/err"
