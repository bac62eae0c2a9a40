#!/bin/sh
# usage: size.sh LIMIT COMPILER FLAG...
# Prints the bytes of code and constants of each source; fails above LIMIT. A
# room with a header of its own is left out, as are recover.c, which shared pools
# need, and print.c, which has one call: only programs that use them link them.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
limit=$1
shift
size=$("$1" -print-prog-name=size)

for source in "$root"/src/*.c; do
    [ ! -e "$root/include/bitfit_$(basename "$source" .c).h" ] || continue
    case $source in */recover.c | */print.c) continue ;; esac
    "$@" -std=c11 -ffreestanding -I"$root/include" -c "$source" \
        -o "$work/$(basename "$source" .c).o"
done
cd "$work"
"$size" -t ./*.o | awk -v limit="$limit" '
    { print $1, $2, $3, $NF }
    END {
        printf ".text %d bytes, at most %d wanted\n", $1, limit
        exit $1 > limit
    }'
