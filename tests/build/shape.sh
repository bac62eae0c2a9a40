#!/bin/sh
# The shape of the core: freestanding headers, and nothing that depends on the
# platform but in the seam. Outside the core: bitfit.h alone.
set -eu
cd "$(dirname "$0")/../.."
failed=0

complain() {
    echo "== $1"
    failed=1
}

core=$(find src -name '*.[ch]' ! -name 'platform*' | sort)

# Guards and the options of the build are all that may be asked for.
# shellcheck disable=SC2086 # a list
awk '
    /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/ {
        line = $0
        sub(/\/\*.*/, "", line)
        gsub(/BITFIT_[A-Z0-9_]+|defined|ifndef|ifdef|elif|if/, "", line)
        if (line ~ /[A-Za-z_][A-Za-z_]/) {
            print FILENAME ":" FNR ": " $0
            bad = 1
        }
    }
    END { exit bad }
' $core || complain 'platform conditions outside src/platform.*'

# shellcheck disable=SC2086 # a list
found=$(grep -nE '^ *# *include *<' $core |
    grep -vE '<(stdint|stddef|stdbool|limits)\.h>' || true)
[ -z "$found" ] || {
    echo "$found"
    complain 'headers that a freestanding compiler does not have'
}

# The malloc's bridge, carve.[ch], alone may reach into the core. A header of the
# same name that lies beside the file is another.
internal=$(find src -name '*.h' | sed 's|^src/||; s|\.|\\.|' | paste -sd'|')
found=$(grep -rnE "^ *# *include *\"([^\"]*/)?($internal)\"" \
    --include='*.[ch]' --include='*.[ch]pp' \
    malloc tools bindings ports examples bench 2>/dev/null |
    grep -v '^malloc/carve\.[ch]:' |
    while IFS=: read -r file line text; do
        name=${text#*\"}
        [ -e "$(dirname "$file")/${name%\"*}" ] &&
            [ "$name" = "${name##*/}" ] || echo "$file:$line:$text"
    done)
[ -z "$found" ] || {
    echo "$found"
    complain 'internal headers outside core and tests'
}

exit $failed
