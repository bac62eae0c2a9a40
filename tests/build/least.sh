#!/bin/sh
# usage: least.sh LIMIT COMPILER FLAG...
# Links a program that makes a pool, takes a block and gives it back, and fails
# if code, constants and the helpers of the compiler's library are above LIMIT.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
limit=$1
shift
size=$("$1" -print-prog-name=size)

"$@" -std=gnu11 --specs=picolibc.specs -nostartfiles -Wl,-e,main \
    -ffunction-sections -fdata-sections -Wl,--gc-sections \
    -I"$root/include" "$root/bench/boards/least.c" "$root"/src/*.c \
    -o "$work/program"
"$size" "$work/program" | awk -v limit="$limit" '
    NR == 2 {
        bytes = $1 + $2
        printf "%d bytes, at most %d wanted\n", bytes, limit
        exit bytes > limit
    }'
