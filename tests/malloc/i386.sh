#!/bin/sh
# usage: i386.sh I686-GCC QEMU
# The library where size_t has 32 bits, at two granules: a program runs on it, and
# its second free of a block is caught.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$1" -std=gnu11 -D_GNU_SOURCE -O2 -fPIC -fvisibility=hidden -shared \
    -I"$root/include" -fno-builtin -ftls-model=initial-exec \
    "$root"/malloc/*.c "$root"/src/*.c \
    -Wl,--version-script="$root/malloc/bitfit-malloc.map" \
    -Wl,-z,nodelete -Wl,-z,now -o "$work/libbitfit-malloc.so"
"$1" -O1 -fno-builtin "$root/tests/malloc/i386.c" -o "$work/program"

for granule in 16 64; do
    code=0
    (
        ulimit -c 0
        timeout 60 "$2" -L /usr/i686-linux-gnu -E BITFIT_POOL=64M \
            -E BITFIT_GRANULE=$granule \
            -E LD_PRELOAD="$work/libbitfit-malloc.so" \
            "$work/program" >"$work/out" 2>"$work/err"
    ) || code=$?
    cat "$work/out" "$work/err"
    [ "$(cat "$work/out")" = fine ]
    [ $code = 134 ]
    grep -q '^bitfit: double free: free(0x' "$work/err"
done
