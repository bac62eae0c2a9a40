#!/bin/sh
# usage: settings.sh PROBE LIBRARY PLUGIN EARLY [BITFIT]
# Each setting does what it says, and a bad value is one line and the default.
set -eu
probe=$1 library=$2 plugin=$3 early=$4 bitfit=${5-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset LD_PRELOAD
failed=0

# check NAME CONDITION...
check() {
    name=$1
    shift
    if [ "$@" ]; then
        return
    fi
    echo "$name: not $*"
    failed=1
}

# The budget is all that there is, and nearly all of it is the program's.
arena=$(BITFIT_POOL=4M "$probe" arena)
check 'arena below the budget' "$arena" -lt 4194304
check 'own memory is 3 % at most' "$arena" -ge 4068474
for size in 16 100 1000 5000 100000; do
    # shellcheck disable=SC2046 # words
    set -- $(BITFIT_POOL=4M "$probe" fill $size)
    rounded=$(((size + 15) / 16 * 16))
    check "fill $size" $(($1 / size * rounded)) -ge 3900000
    check "fill $size again" "$2" -ge "$1"
    check "fill $size errno" "$3" = ENOMEM
    check "fill $size within the budget" "$1" -lt 4194304
done
# shellcheck disable=SC2046 # words
set -- $(BITFIT_POOL=64M "$probe" reclaim)
check 'the idle thread has a cache' "$1" -gt 10000
check 'it is had back' "$3" -gt $(($2 - 40000))

for size in 100000 1M 3%; do
    check "BITFIT_POOL=$size" "$(BITFIT_POOL=$size "$probe" arena)" -gt 90000
done
check 'percent' "$(BITFIT_POOL=1% "$probe" arena)" -lt \
    "$(BITFIT_POOL=2% "$probe" arena)"
check 'granule' "$(BITFIT_GRANULE=64 "$probe" usable)" = 64
check 'prefault' "$(BITFIT_POOL=32M BITFIT_PREFAULT=1 "$probe" resident)" -gt \
    33000000
check 'no prefault' "$(BITFIT_POOL=32M "$probe" resident)" -lt 20000000
check 'huge' "$(BITFIT_POOL=8M BITFIT_HUGE=1 "$probe" usable 2>&1)" = 16
check 'mlock' \
    "$(BITFIT_POOL=1M BITFIT_MLOCK=1 "$probe" usable 2>/dev/null)" = 16
check 'hardened' "$(BITFIT_HARDENED=1 "$probe" usable)" = 1

# The k-th request fails, or all from it on. The first is a constructor's.
check 'fail at' "$(BITFIT_FAIL_AT=4 "$probe" failures)" = ' 3'
check 'fail on' "$(BITFIT_FAIL_AT=9+ "$probe" failures)" = ' 8 9 10'
code=0
BITFIT_ON_FAILURE=abort BITFIT_FAIL_AT=3 "$probe" failures >out 2>err || code=$?
check 'abort' $code = 134
check 'abort says why' "$(grep bitfit err)" = 'bitfit: out of memory: malloc()'

# Bad values.
bad() {
    env "$1=$2" "$probe" usable >out 2>err
    check "$1=$2 goes on" "$(cat out)" = 16
    check "$1=$2 is one line" "$(wc -l <err)" = 1
    grep -q "^bitfit: $1=$2: .*; the default is used$" err || {
        echo "$1=$2: $(cat err)"
        failed=1
    }
}
for value in '' x 12Q 1.5G -1 0x10 99999999999999999999 9999999T 0% 101% 5%5; do
    bad BITFIT_POOL "$value"
done
for value in '' 8 24 x 2M; do
    bad BITFIT_GRANULE "$value"
done
for name in PREFAULT MLOCK HUGE HARDENED INHERIT LEAKS; do
    bad BITFIT_$name yes
done
bad BITFIT_ON_FAILURE stop
bad BITFIT_FAIL_AT 0
bad BITFIT_FAIL_AT 3-
bad BITFIT_REPORT ''
BITFIT_POOL=100 "$probe" usable >out 2>err || true
check 'too small' "$(wc -l <err)" = 1

# The report.
BITFIT_REPORT=stderr "$probe" arena >out 2>err
check 'no report on the output' "$(wc -l <out)" = 1
for key in process budget payload own live cached peak high-water \
    largest-free failures would-serve; do
    grep -q "^bitfit: $key: [0-9]" err || check "report has $key" -z x
done
BITFIT_REPORT=report.%p "$probe" arena >/dev/null 2>err
check 'nothing on standard error' ! -s err
check 'a file of its own' "$(find . -name 'report.[0-9]*' | wc -l)" = 1
BITFIT_REPORT=none "$probe" arena >/dev/null 2>err
check 'none' ! -s err
BITFIT_REPORT=r BITFIT_FAIL_AT=2 "$probe" failures >/dev/null
check 'failures' "$(sed -n 's/^bitfit: failures: //p' r)" = 1
check 'first failure' "$(sed -n 's/^bitfit: first-failure: //p' r)" = 100000
check 'no budget is known to serve' "$(grep -c would-serve r)" = 0
BITFIT_LEAKS=1 BITFIT_REPORT=leaks "$probe" leak >/dev/null
check 'leaks' "$(sed -n 's/^bitfit: leaked-bytes: //p' leaks)" -ge 5000
BITFIT_REPORT=/nowhere/report "$probe" usable >out 2>err
check 'a report that cannot be written' "$(wc -l <err)" = 1

# However a program ends, there is one report.
for how in exit quick_exit _exit _Exit; do
    code=0
    BITFIT_REPORT=end-$how.%p "$probe" end $how || code=$?
    check "$how is the same" $code = 7
    check "$how reports" "$(cat end-"$how".* | grep -c process:)" = 1
done
BITFIT_REPORT=shell LD_PRELOAD="$library" dash -c 'exit 3' || code=$?
check "a shell's exit code" $code = 3
check 'a shell reports' "$(grep -c "process: .*(dash)" shell)" = 1
if [ -n "$bitfit" ]; then
    BITFIT_REPORT=recorded.%p LD_PRELOAD="$library" \
        "$bitfit" record -o trace -- dash -c 'exit 3' 2>err || code=$?
    check 'a recorded shell reports' \
        "$(cat recorded.* | grep -c "process: .*(dash)")" = 1
fi
env BITFIT_REPORT=idle BITFIT_POOL=4M LD_PRELOAD="$library" true
check 'one that allocates nothing' "$(sed -n 's,^bitfit: peak: ,,p' idle)" = \
    '0 (0.0 KiB)'
for _ in 1 2 3 4 5 6 7 8 9 10; do
    code=0
    BITFIT_REPORT=interrupted timeout 20 "$probe" interrupted 2>err || code=$?
    check 'ended by a handler' "$code $(cat err)" = '7 '
done

# A budget that would have served does.
BITFIT_REPORT=first BITFIT_POOL=64M "$probe" leak >/dev/null
served=$(sed -n 's/^bitfit: would-serve: \([0-9]*\).*/\1/p' first)
BITFIT_REPORT=second BITFIT_POOL=$served "$probe" leak >/dev/null
check 'would serve' "$(sed -n 's/^bitfit: failures: //p' second)" = 0

# What others can see.
check 'published' "$(BITFIT_POOL=64M "$probe" published)" = '67108864 1 1 1'

# What programs that are started get.
export LD_PRELOAD="$library"
check 'inherited' "$(BITFIT_POOL=4M sh -c "$probe arena")" = "$arena"
check 'not inherited' "$(BITFIT_POOL=4M BITFIT_INHERIT=0 \
    sh -c "$probe arena; env" | grep -c '^BITFIT\|^LD_PRELOAD')" = 0
check 'others stay preloaded' "$(LD_PRELOAD=$library:$plugin BITFIT_INHERIT=0 \
    env | sed -n 's/^LD_PRELOAD=//p')" = "$plugin"
unset LD_PRELOAD

# Little address space; libraries that come and go, and that come too early.
check 'ulimit -v' "$(ulimit -v 100000 && "$probe" usable 2>&1)" = 16
check 'ulimit -v, a budget' \
    "$(ulimit -v 100000 && BITFIT_POOL=50M "$probe" usable 2>&1)" = 16
(ulimit -v 100000 && BITFIT_POOL=1G "$probe" usable >out 2>err)
check 'ulimit -v, too much' "$(cat out)" = 16
check 'ulimit -v, says so' "$(wc -l <err)" = 1

# A pool far beyond the memory costs what is used of it, not what it spans:
# 5 s of the processor are some thousand times what it takes.
(ulimit -t 5 && BITFIT_POOL=1000000G "$probe" trim >out 2>err) || true
check 'a vast pool' "$(cat out)" = 100
check 'a vast pool, says so' "$(wc -l <err)" = 1
check 'plugin' "$("$probe" plugin "$plugin")" = loaded
check 'early' "$(LD_PRELOAD=$early "$probe" usable)" = 16
check 'early, preloaded' \
    "$(LD_PRELOAD=$library:$early sh -c 'echo fine')" = fine

# A program with another user's rights ignores every setting.
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$work"
    cp "$probe" secure
    chown nobody secure
    chmod 4755 secure
    check 'setuid' "$(BITFIT_POOL=4M BITFIT_GRANULE=64 ./secure usable)" = 16
fi
exit $failed
