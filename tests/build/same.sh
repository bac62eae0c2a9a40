#!/bin/sh
# usage: same.sh REFERENCE SOURCE COMPILER FLAG...
# Builds SOURCE, which lies beside this script, with all of the core's sources,
# without a warning, and runs it, by $RUNNER if there is one. It must print what
# REFERENCE prints.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
reference=$1 source=$root/tests/build/$2
shift 2
: "${RUNNER=}"

# shellcheck disable=SC2086 # WARNINGS is a list
"$@" $WARNINGS -Werror -I"$root/include" \
    "$source" "$root"/src/*.c -o "$work/program"
"$reference" >"$work/expected"
$RUNNER "$work/program" >"$work/actual" || {
    cat "$work/actual"
    echo "the program failed"
    exit 1
}
diff "$work/expected" "$work/actual"
cat "$work/actual"
