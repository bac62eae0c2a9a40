# shellcheck shell=sh
# Read by the scripts of this folder: $root is the source tree, $work a folder
# that goes when the script ends.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Shows what a command says only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || {
        echo "failed: $*"
        tail -n 60 "$work/log"
        return 1
    }
}

# consumer LANGUAGES OPTION...: builds and tests the project that uses bitfit,
# as a project of these languages, with these options of cmake.
consumer() {
    languages=$1
    shift
    rm -rf "$work/consumer"
    quietly cmake -S "$root/tests/packages/consumer" -B "$work/consumer" \
        "-DCONSUMER_LANGUAGES=$languages" "$@"
    quietly cmake --build "$work/consumer" -j 2
    quietly ctest --test-dir "$work/consumer" --output-on-failure \
        --no-tests=error
}
