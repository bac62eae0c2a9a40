#!/bin/sh
# usage: scripts.sh
# Every script tells what it does when it is asked, and does nothing else then.
# A flag that it does not know is no name of a folder.
. "$(dirname "$0")/common.sh"
mkdir "$work/empty"
cd "$work/empty"
for script in "$root"/scripts/*; do
    [ -x "$script" ] || continue
    for flag in -h --help; do
        "$script" $flag >"$work/help"
        grep "^usage: scripts/${script##*/}" "$work/help"
    done
done
for script in amalgamate dist; do
    for argument in -x --no-such-flag ''; do
        code=0
        # shellcheck disable=SC2086 # none, if empty
        "$root/scripts/$script" $argument 2>"$work/help" || code=$?
        [ $code = 2 ]
        grep -q "^usage: scripts/$script" "$work/help"
    done
done
[ -z "$(ls -A)" ]
