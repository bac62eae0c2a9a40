#!/bin/sh
# usage: exports.sh SHARED STATIC COMPILER
# The shared library exports what the headers declare, all of it and nothing
# else. The static one keeps to its prefixes, since it shares a name space with
# the program.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shared=$1 static=$2 compiler=$3

for header in "$root"/include/*.h; do
    echo "#include \"$header\""
done >"$work/all.h"
"$compiler" -E -P -DBITFIT_API=PUBLIC -I"$root/include" "$work/all.h" |
    tr '\n;' ' \n' | sed -n 's/.*PUBLIC *\([^(]*\)(.*/\1/p' |
    sed 's/.*[ *]\(bitfit_[a-z_]*\) *$/\1/' | sort >"$work/declared"
nm -D --defined-only "$shared" |
    awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
[ -s "$work/declared" ]
diff "$work/declared" "$work/exported"
echo "$(wc -l <"$work/declared") functions"

if nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' |
    grep -vE '^(bitfit|bf)_'; then
    echo "these names have no prefix"
    exit 1
fi
