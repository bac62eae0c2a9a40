#!/bin/sh
# The source serves a project as a folder of its tree, and builds nothing there
# but what it links.
. "$(dirname "$0")/common.sh"

consumer CXX -DBITFIT_SOURCE="$root"
consumer 'C;CXX' -DBITFIT_SOURCE="$root"
[ ! -e "$work/consumer/bitfit/tests" ]
[ ! -e "$work/consumer/bitfit/tools" ]

# The small build is the library, and nothing else.
quietly cmake -S "$root" -B "$work/small" -DBITFIT_SMALL=ON
quietly cmake --build "$work/small" -j 2
nm "$work/small/libbitfit.a" >"$work/symbols"
grep -q ' T bitfit_alloc$' "$work/symbols"
if grep ' bitfit_aligned_alloc$' "$work/symbols"; then exit 1; fi
[ ! -e "$work/small/malloc" ]
