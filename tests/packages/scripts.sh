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

# One command changes the project's address everywhere.
cp -R "$root/scripts" "$root/CMakeLists.txt" "$root/README.md" \
    "$root/library.json" "$root/idf_component.yml" "$root/packaging" .
mkdir rust
cp "$root/bindings/rust/Cargo.toml" rust
old=$(scripts/address)
for word in -x a/b 'a b'; do
    code=0
    scripts/address "$word" 2>/dev/null || code=$?
    [ $code = 2 ]
done
scripts/address example.org >changed
[ "$(scripts/address)" = https://example.org ]
if grep -rF "${old#https://}" .; then
    exit 1
fi
grep -q '^library.json$' changed
grep -q 'GIT_REPOSITORY https://example.org/bitfit.git' README.md
