#!/bin/sh
# usage: shadow.sh asan|valgrind PROGRAM
# Each fault of shadow.c is reported, with the place in shadow.c where it was
# done and, by Valgrind, where the block came from; a long run without faults
# is not.
set -eu
tool=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:exitcode=9

run() {
    case $tool in
    asan) timeout 120 "$program" "$1" ;;
    valgrind) timeout 120 valgrind -q --error-exitcode=9 "$program" "$1" ;;
    esac >"$work/out" 2>&1
}

fail() {
    cat "$work/out"
    echo "shadow: $1"
    exit 1
}

run none || fail "none: a report"
[ ! -s "$work/out" ] || fail "none: a report"

# FAULT PATTERN...: the report has all the patterns.
reported() {
    fault=$1
    shift
    status=0
    run "$fault" || status=$?
    [ "$status" -eq 9 ] || fail "$fault: no report"
    for pattern in "$fault" "$@"; do
        grep -q "$pattern" "$work/out" || fail "$fault: no $pattern in it"
    done
}

case $tool in
asan)
    for fault in use_after_free use_after_move use_after_reset \
        beyond_the_size beyond_the_block beyond_what_was_shrunk never_given; do
        reported "$fault" use-after-poison
    done
    ;;
valgrind)
    reported use_after_free 'Invalid read of size 1' \
        "8 bytes inside a block of size 48 free'd" bitfit_free bitfit_calloc
    reported use_after_move 'Invalid read' "free'd" bitfit_realloc
    reported use_after_reset 'Invalid read'
    reported beyond_the_size 'Invalid write of size 1' \
        '20 bytes inside a block of size 32 client-defined' bitfit_alloc
    reported beyond_the_block 'Invalid write of size 1' \
        '32 bytes inside a block of size 48 client-defined' bitfit_alloc
    reported beyond_what_was_shrunk 'Invalid read' \
        '98 bytes inside a block of size 112 client-defined'
    reported never_given 'Invalid read'
    reported not_initialised 'depends on uninitialised value'
    reported grown_not_initialised 'depends on uninitialised value'
    [ "$(grep -c 'depends on' "$work/out")" -eq 1 ] ||
        fail 'grown_not_initialised: what the block had counts, too'
    ;;
esac
