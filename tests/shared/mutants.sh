#!/bin/bash
# usage: mutants.sh [-n | NAME]
# Tests the test: breaks the protocol in src/shared.c and src/recover.c in one way
# after the other.
# stops.c must find every one. With -n they are made and not run.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/shared
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wanted=${1-} found=0 missed=0
flags='-std=gnu11 -O1 -w'

# The core with the two files in $work, and the test, as $work/stops.
build() {
    # shellcheck disable=SC2086 # a list
    for file in "$root/src/bitfit.c" "$root/src/create.c" \
        "$root/src/misuse.c" "$work/shared.c" "$work/recover.c"; do
        gcc $flags -fsanitize=thread -fno-builtin -Dmemset=stopping_memset \
            -Dmemcpy=stopping_memcpy -I"$root/include" -I"$root/src" \
            -c "$file" -o "$work/$(basename "$file" .c).o" || return 1
    done
    # shellcheck disable=SC2086 # a list
    gcc $flags -I"$root/include" -I"$root/src" "$here/stops.c" \
        "$here/stop.c" "$here/play.c" "$work"/*.o -o "$work/stops"
}

# mutant NAME OLD NEW [OLD NEW]...: each OLD must be there, once or more.
mutant() {
    local name=$1
    shift
    case $wanted in
    '' | -n | "$name") ;;
    *) return ;;
    esac
    local calls repair
    calls=$(<"$root/src/shared.c")
    repair=$(<"$root/src/recover.c")
    while [ $# -gt 0 ]; do
        if [[ $calls == *"$1"* ]]; then
            calls=${calls/"$1"/"$2"}
        elif [[ $repair == *"$1"* ]]; then
            repair=${repair/"$1"/"$2"}
        else
            echo "$name: this is in neither: $1" >&2
            exit 2
        fi
        shift 2
    done
    printf '%s\n' "$calls" >"$work/shared.c"
    printf '%s\n' "$repair" >"$work/recover.c"
    if [ "$wanted" = -n ]; then
        found=$((found + 1))
        return
    fi
    build || exit 2
    if timeout 120 "$work/stops" quick >"$work/log" 2>&1; then
        echo "NOT FOUND: $name"
        missed=$((missed + 1))
    else
        echo "found: $name"
        found=$((found + 1))
    fi
}

take='    begin(intent, BF_CHANGE);
    bf_fit_take(&pool->fit, hole.start, start, wish->count);
    bf_note_block(pool, start, wish->count, wish->count);
    pool->allocations++;'
mutant 'the map before the intent' "$take" \
    '    bf_fit_take(&pool->fit, hole.start, start, wish->count);
    begin(intent, BF_CHANGE);
    bf_note_block(pool, start, wish->count, wish->count);
    pool->allocations++;'
mutant 'the op before the rest' \
    '    intent->targets[0] = hole_only(hole);
    if (wish' \
    '    begin(intent, BF_CHANGE);
    intent->targets[0] = hole_only(hole);
    if (wish'
mutant 'the counter behind the intent' "$take" \
    '    begin(intent, BF_CHANGE);
    bf_fit_take(&pool->fit, hole.start, start, wish->count);
    bf_note_block(pool, start, wish->count, wish->count);' \
    '    finish(pool);
    return start;' '    finish(pool);
    pool->allocations++;
    return start;'
mutant 'crossed out before the slot is written' \
    '    bf_recover_slots(pool);
    BF_ORDER();
    bf_shared_of(pool)->intent.op = BF_NO_OP;
    BF_ORDER();' \
    '    bf_shared_of(pool)->intent.op = BF_NO_OP;
    BF_ORDER();
    bf_recover_slots(pool);'
mutant 'start bits are not forgotten' '    forget_starts(map, left, right);' ''
mutant 'the last word is not forgotten' 'word <= last; word++' \
    'word < last; word++'
mutant 'no new tree' '    derive_tree(&pool->fit);' ''
mutant 'no new counts' '    count_anew(pool);
    BF_ORDER();' '    BF_ORDER();'
mutant 'the repair leaves the slots' '        bf_recover_slots(pool);
        pool->allocations = intent' '        pool->allocations = intent'
mutant 'the repair leaves the counters' \
    '        pool->allocations = intent->allocations;' ''
mutant 'the second target is left out' \
    '        write_target(&pool->fit.map, &intent->targets[1]);' ''
mutant 'a request without a slot is finished' '    if (wish->slot != NULL) {
        intent->targets[0] = block_in(hole, start, end);' \
    '    if (true) {
        intent->targets[0] = block_in(hole, start, end);' \
    '        intent->slots[0] = distance_of(pool, wish->slot);
        intent->values[0] = link_at(pool, start);
        intent->allocations++;' \
    '        intent->slots[0] = wish->slot ? distance_of(pool, wish->slot) : 0;
        intent->values[0] = link_at(pool, start);
        intent->allocations++;'
mutant 'pointers are not made anew' '    bf_recover_place(pool);
    bf_recover_carry_out(pool);
    BF_ORDER();' '    bf_recover_carry_out(pool);
    BF_ORDER();'
mutant 'a move forgets the hole left of the old block' \
    '        around.start = hole.start + count;' ''
mutant 'a move forgets the hole right of the old block' \
    '        around.end = old.end;' ''
mutant 'a move that is undone loses the old block' \
    'intent->targets[1] = block_in(around, old.start, old.end);' \
    'intent->targets[1] = hole_only(around);'
mutant 'free forgets the hole before' \
    '    intent->targets[0] = hole_only(around);' \
    '    intent->targets[0] = hole_only((bf_hole){start, around.end});'
mutant 'free forgets the hole behind' \
    '    intent->targets[0] = hole_only(around);' \
    '    intent->targets[0] = hole_only(
        (bf_hole){around.start, bf_map_end(&pool->fit.map, start)});'
mutant 'free forgets the slot' \
    'slot == NULL ? 0 : distance_of(pool, slot);' '0;'
mutant 'a resize forgets the hole behind' \
    'block_in((bf_hole){start, right}, start,' \
    'block_in((bf_hole){start, end > new_end ? end : new_end}, start,'
mutant 'never zeroed' \
    '        memset(bf_pointer_to(pool, start), 0, bf_bytes_of(pool, wish->count));' ''
mutant 'zeroed too late' \
    '        memset(bf_pointer_to(pool, start), 0, bf_bytes_of(pool, wish->count));' \
    '' '    finish(pool);
    return start;' '    finish(pool);
    if (wish->zero) {
        memset(bf_pointer_to(pool, start), 0, bf_bytes_of(pool, wish->count));
    }
    return start;'
copy='    memcpy(bf_pointer_to(pool, start), bf_pointer_to(pool, from),
           bf_bytes_of(pool, kept));'
mutant 'copied too late' "$copy" '' \
    '    pool->room += free_in_map(&pool->fit, from);' \
    "$copy
    pool->room += free_in_map(&pool->fit, from);"
mutant 'an intent is believed before it is meant' \
    'if (intent->op != BF_CHANGE) {' 'if (intent->op == BF_RESET) {'
mutant 'one slot of a swap' '    intent->slots[1] = distance_of(pool, b);' ''
mutant 'reset without an intent' '    begin(intent, BF_RESET);' \
    '    (void)intent;'
mutant 'reset leaves the roots' \
    '    memset(bf_shared_of(pool)->roots, 0, sizeof bf_shared_of(pool)->roots);' ''

[ "$wanted" != -n ] || {
    echo "$found can be made"
    exit
}
echo "$found found, $missed not found"
[ "$missed" -eq 0 ]
