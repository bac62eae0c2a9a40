#!/bin/sh
# usage: field.sh FIELD LIBRARY PLUGIN
# Programs as they are found in the field, with the library preloaded.
set -eu
field=$1 library=$2 plugin=$3
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

preloaded() {
    env LD_PRELOAD="$library" "$@"
}

budget() {
    sed -n 's/^bitfit: budget: \([0-9]*\) .*/\1/p' "$1"
}

# language COMMAND...: an interpreter that prints 1.
language() {
    if ! command -v "$1" >/dev/null; then
        echo "without $1 there is no check of it"
        return
    fi
    check "$1" "$(preloaded BITFIT_POOL=256M "$@")" = 1
    check "$1, hardened" "$(preloaded BITFIT_POOL=256M BITFIT_HARDENED=1 \
        "$@")" = 1
}

# The first request comes before the C library has its environment.
preloaded BITFIT_POOL=5M BITFIT_REPORT=early "$field" early
check 'a request before the environment' "$(budget early)" = 5242880

# Where no pool could be made, threads get blocks of their own all the same.
for _ in $(seq 40); do
    check 'threads without a pool' \
        "$(preloaded BITFIT_POOL=1 "$field" shared 2>err)" = 0
    check 'without a pool, says so' "$(wc -l <err)" = 1
done

# A plugin that would bind to the C library's own malloc.
check 'a plugin with RTLD_DEEPBIND' \
    "$(preloaded "$field" deepbind "$plugin")" = 'from the plugin'
language php -r 'echo 1;'
language ruby -e 'print 1'

# A report never gets into a file of the program's.
preloaded BITFIT_REPORT=stderr "$field" precious "$work/precious" 2>err
check 'precious' "$(cat precious)" = data

# One address tells nothing about others: 40 runs, 40 distances.
for _ in $(seq 40); do
    preloaded "$field" distances
done >distances
for column in 1 2; do
    check "distances, column $column" \
        "$(cut -d' ' -f$column distances | sort -u | wc -l)" = 40
done
check 'guards' "$(preloaded BITFIT_POOL=64M "$field" neighbours)" = '---p ---p'
check 'guards, hardened' "$(preloaded BITFIT_HARDENED=1 BITFIT_POOL=64M \
    "$field" neighbours)" = '---p ---p'

# Half of what a limit leaves: address space, and private memory.
for limit in v d; do
    (
        ulimit -$limit 200000
        preloaded BITFIT_REPORT=limited "$field" distances >out
    )
    check "ulimit -$limit" "$(budget limited)" = 102400000
    rm limited
done

# And half of what the process' own control group may have.
memory=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
group=$memory/bitfit-$$
if [ -f "$memory/memory.limit_in_bytes" ] && mkdir "$group" 2>/dev/null; then
    if echo 300M >"$group/memory.limit_in_bytes" && mkdir "$group/inner"; then
        sh -c "echo \$\$ >'$group/inner/tasks' && BITFIT_REPORT=grouped \
            LD_PRELOAD='$library' '$field' distances" >out
        check 'the limit of a group around' "$(budget grouped)" = 157286400
        for _ in $(seq 50); do
            rmdir "$group/inner" 2>/dev/null && break
            sleep 0.1
        done
    fi
    rmdir "$group"
else
    echo 'without a memory group there is no check of its limit'
fi

# One grammar for sizes.
for size in 64m 64M 65536k 65536K 67108864; do
    preloaded BITFIT_POOL=$size BITFIT_REPORT=sizes "$field" distances >out
    check "BITFIT_POOL=$size" "$(budget sizes)" = 67108864
    rm sizes
done
# What the program maps itself is told: now, or when there was most of it.
outside() {
    preloaded BITFIT_POOL=256M BITFIT_REPORT=outside "$field" "$@"
    sed -n 's/^bitfit: outside: \([0-9]*\) .*/\1/p' outside
    rm outside
}
for how in private shared file unmapped; do
    size=$(outside outside $how)
    check "outside, $how" "$size" -ge 66000000
    check "outside, $how, and no more" "$size" -lt 69000000
done
for words in 'outside untouched' inside; do
    # shellcheck disable=SC2086 # words
    check "outside, $words" "$(outside $words)" -lt 1000000
done

# A name from outside breaks no line, gives no orders, and leaves room.
long=$(printf '%0100000d' 0)
for name in '' "$long" "$(printf 'a\033[31m)\nbitfit: peak: 1\rb\302\2331m')"; do
    preloaded BITFIT_REPORT=named "$field" named "$name" distances >out
    check 'lines of a report' "$(grep -c '^bitfit: [a-z-]*: [0-9]' named)" = 12
    check 'nothing but lines' "$(wc -l <named)" = 12
    check 'no control characters' \
        "$(LC_ALL=C tr -d '\n' <named | LC_ALL=C grep -c '[[:cntrl:]]')" = 0
    rm named
done
for value in "x$long" "$(printf 'x\033[31m\ny')"; do
    preloaded BITFIT_POOL="$value" "$field" distances >out 2>err
    check 'lines about a value' "$(wc -l <err)" = 1
    check 'no control characters in it' "$(tr -d '\n' <err |
        LC_ALL=C grep -c '[[:cntrl:]]')" = 0
done

# A pipe that nobody reads.
mkfifo pipe
preloaded BITFIT_REPORT=pipe timeout 20 "$field" distances >out 2>err
check 'a report to nobody' "$(grep -c 'cannot be written: ' err)" = 1
exit $failed
