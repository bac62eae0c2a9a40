#!/bin/sh
# usage: links.sh FOLDER
# Every link between documents in the folder leads to something that is there.
. "$(dirname "$0")/common.sh"
cd "$1"

find . -name '*.md' >"$work/pages"
grep -Fx ./docs/COOKBOOK.md "$work/pages"
while read -r page; do
    sed 's/](/\n](/g' "$page" |
        sed -n 's/^](\([^)#: ][^)#: ]*\)[)#].*/\1/p' |
        while read -r link; do
            target=$(dirname "$page")/$link
            [ -e "$target" ] || echo "$page: no $link"
            echo x >>"$work/links"
        done
done <"$work/pages" >"$work/broken"
cat "$work/broken"
[ "$(wc -l <"$work/links")" -gt 20 ]
[ ! -s "$work/broken" ]
