#!/bin/sh
# usage: amalgamation.sh REFERENCE COMPILER...
# The library as one source compiles without a warning, hosted and freestanding,
# and does what the other does.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
reference=$1
shift

"$root/scripts/amalgamate" "$work" >/dev/null
[ "$(ls "$work")" = "$({ echo bitfit.c && ls "$root/include"; } | sort)" ]
cp "$root/tests/build/everywhere.c" "$work"
cd "$work"
"$reference" >expected
for compiler in "$@"; do
    # shellcheck disable=SC2086 # a list
    "$compiler" -std=c11 -O2 -ffreestanding $WARNINGS -Werror -c bitfit.c
    # shellcheck disable=SC2086 # a list
    "$compiler" -std=c11 -O2 $WARNINGS -Werror -c bitfit.c
    "$compiler" -std=c11 -O2 everywhere.c bitfit.o -pthread -o everywhere
    ./everywhere | diff expected -
done
