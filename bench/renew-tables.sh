#!/bin/sh
# usage: bench/renew-tables.sh PEERS [--quick | --full] [--rounds N]
# Makes the tables of docs/BENCHMARKS.md anew: all of them at -O2, then goals,
# churn and replays once more for x86-64-v3. The peers are the shared objects in
# PEERS/O2 and PEERS/v3, each compiled with these flags; tlsf.so is the one that
# ratios refer to.
set -eu
peers=$(cd "${1:?"usage: bench/renew-tables.sh PEERS [OPTION...]"}" && pwd)
shift
cd "$(dirname "$0")/.."

# measure BUILD FLAGS FOLDER SUFFIX CASES OPTION...
measure() {
    build=$1 flags=$2 folder=$3 suffix=$4 only=$5
    shift 5
    cmake --preset bench -B "build/$build" -DCMAKE_C_FLAGS="$flags" \
        -DCMAKE_CXX_FLAGS="$flags" >/dev/null
    cmake --build "build/$build" --target bitfit_bench bitfit_inside \
        >/dev/null
    named="--peer $folder/tlsf.so"
    for peer in "$folder"/*.so; do
        [ "$peer" = "$folder/tlsf.so" ] || named="$named --peer $peer"
    done
    # shellcheck disable=SC2086 # a list
    "build/$build/bench/bitfit_bench" $named --only "$only" \
        --json "build/$build/figures.json" "$@"
    # shellcheck disable=SC2086 # a list
    bench/instructions.py "build/$build/bench/bitfit_bench" $named \
        --json "build/$build/counts.json"
    # shellcheck disable=SC2086 # a list
    "build/$build/bench/bitfit_inside" $named \
        --json "build/$build/inside.json"
    bench/report.py "build/$build/figures.json" "build/$build/counts.json" \
        "build/$build/inside.json" \
        --doc docs/BENCHMARKS.md "--suffix=$suffix" \
        --html "build/$build/bench.html"
}

measure bench '' "$peers/O2" '' '*' "$@"
measure bench-v3 -march=x86-64-v3 "$peers/v3" -v3 'churn*,replay*,lifo*' \
    --speed "$@"
