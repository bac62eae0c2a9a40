#!/bin/sh
# usage: freestanding.sh COMPILER FLAG...
# Compiles the core for a machine without an operating system, without a
# warning, and links it into one object with the compiler's own helpers. Only
# memory functions may then be missing.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm=$("$1" -print-prog-name=nm)

for option in -Os -O2; do
    for source in "$root"/src/*.c; do
        # shellcheck disable=SC2086 # a list
        "$@" -std=c11 $option $WARNINGS -Werror -ffreestanding \
            -I"$root/include" -c "$source" \
            -o "$work/$(basename "$source" .c).o"
    done
    "$@" -r -nostdlib "$work"/*.o -lgcc -o "$work/core.$option"
    undefined=$("$nm" -u "$work/core.$option" | awk '{ print $2 }' |
        grep -vxE 'memcpy|memmove|memset' || true)
    if [ -n "$undefined" ]; then
        echo "not available without a C library: $undefined"
        exit 1
    fi
done
"$nm" -u "$work/core.-Os"
