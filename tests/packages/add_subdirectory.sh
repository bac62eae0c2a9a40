#!/bin/sh
# The source serves a project as a folder of its tree, and builds nothing there
# but what it links.
. "$(dirname "$0")/common.sh"

consumer CXX -DBITFIT_SOURCE="$root"
consumer 'C;CXX' -DBITFIT_SOURCE="$root"
[ ! -e "$work/consumer/bitfit/tests" ]
[ ! -e "$work/consumer/bitfit/tools" ]
