#!/bin/sh
# usage: amalgamation.sh EVERYWHERE PLACES COMPILER...
# The library as one source compiles without a warning, hosted and freestanding,
# and does what the other does; so does its small build.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
everywhere=$1 places=$2
shift 2

"$root/scripts/amalgamate" "$work" >/dev/null
[ "$(ls "$work")" = "$({ echo bitfit.c && ls "$root/include"; } | sort)" ]
cp "$root/tests/build/everywhere.c" "$root/tests/build/places.c" "$work"
cd "$work"
"$everywhere" >everywhere.expected
"$places" >places.expected

# try PROGRAM COMPILER FLAG...
try() {
    program=$1
    shift
    # shellcheck disable=SC2086 # a list
    "$@" -std=c11 -O2 -ffreestanding $WARNINGS -Werror -c bitfit.c
    # shellcheck disable=SC2086 # a list
    "$@" -std=c11 -O2 $WARNINGS -Werror -c bitfit.c
    "$@" -std=c11 -O2 "$program.c" bitfit.o -pthread -o "$program"
    "./$program" | diff "$program.expected" -
}
for compiler in "$@"; do
    try everywhere "$compiler"
done
# The small build does not use all of what it includes.
WARNINGS="$WARNINGS -Wno-unused-function"
for compiler in "$@"; do
    try places "$compiler" -DBITFIT_SMALL
done
