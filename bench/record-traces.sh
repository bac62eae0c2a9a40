#!/bin/sh
# Records the traces that the benchmark replays, from the programs installed
# here: record-traces.sh BITFIT FOLDER
set -eu
bitfit=$(realpath "$1")
folder=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# record NAME ABOUT EVENTS COMMAND...: at most EVENTS events are kept.
record() {
    name=$1 about=$2 events=$3
    shift 3
    "$bitfit" record --no-times --events "$events" --about "$about" \
        -o "$folder/$name.trace.zst" -- "$@" >/dev/null
}

cc1=$(gcc -print-prog-name=cc1)
gcc -E -P "$here/workloads/shapes.c" -o shapes.i
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
export PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
export PERL_HASH_SEED=0

record lua "$(lua5.4 -v | cut -d' ' -f1,2), words.lua" 900000 \
    lua5.4 "$here/workloads/words.lua"
record sqlite "SQLite $(sqlite3 --version | cut -d' ' -f1), orders.sql" 900000 \
    sqlite3 :memory: ".read $here/workloads/orders.sql"
record cc1 "gcc $(gcc -dumpfullversion) cc1 -O2, shapes.c" 900000 \
    "$cc1" -quiet -O2 -fpreprocessed shapes.i -o shapes.s
record python "$("$python" --version), PYTHONMALLOC=malloc, report.py" \
    900000 "$python" -S "$here/workloads/report.py"
record perl "Perl $(perl -e 'printf "%vd", $^V'), records.pl" 900000 \
    perl "$here/workloads/records.pl"
ls -l "$folder"
