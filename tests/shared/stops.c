/*
 * usage: stops quick|long
 * Every state that a small pool reaches, every call in it, and a stop before
 * every store of the call. The memory is then copied to another address,
 * repaired there as after a kill or, by turns, attached as after a restart, and
 * compared with what was before and after the call: the picture, the roots, the
 * counters, every block's content. Some of the repairs are stopped before each
 * of their stores, too, and made again at a third address.
 */
#include "bitfit_shared.h"
#include "check.h"
#include "create.h"
#include "intent.h"
#include "play.h"
#include "stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REGION_MOST = 64 * 1024 };
enum { SIZES_MOST = 6, FAULTS_SHOWN = 5 };

/* ------------------------------------------ the lock, which is always orphaned
 */

static bool orphaned;

bool bf_has_shared_mutex(void)
{
    return true;
}

void bf_shared_mutex_init(bf_shared_mutex *mutex)
{
    (void)mutex;
}

bf_taking bf_shared_mutex_acquire(bf_shared_mutex *mutex)
{
    (void)mutex;
    return orphaned ? BF_ORPHANED : BF_TAKEN;
}

void bf_shared_mutex_adopt(bf_shared_mutex *mutex)
{
    (void)mutex;
    orphaned = false;
}

void bf_shared_mutex_release(bf_shared_mutex *mutex)
{
    (void)mutex;
}

void bf_mutex_init(bf_mutex *mutex)
{
    (void)mutex;
}

bool bf_mutex_acquire(bf_mutex *mutex)
{
    (void)mutex;
    return true;
}

void bf_mutex_release(bf_mutex *mutex)
{
    (void)mutex;
}

void bf_die(const bitfit_misuse *misuse)
{
    fprintf(stderr, "%s: %s\n", misuse->call, bitfit_misuse_name(misuse->kind));
    abort();
}

/* ----------------------------------------------------------------- the runs */

/* Sizes of blocks in granules: around a word's border, and beyond it. */
typedef struct setting {
    size_t granules;
    bool resize_moves;
    size_t blocks; /* most of them at a time */
    size_t states; /* most of them */
    size_t step;   /* every how manieth state is tried */
    size_t repair; /* every how manieth repair is stopped, too */
    size_t sizes[SIZES_MOST];
} setting;

static const setting quick[] = {
#if BITFIT_WORD_BITS == 64
    {64, false, 4, 600, 1, 23, {1, 3, 17, 40}},
    {65, true, 3, 400, 1, 29, {1, 2, 31, 64}},
    {128, false, 4, 600, 3, 31, {1, 31, 63, 64, 65}},
    {257, false, 4, 900, 13, 61, {1, 63, 65, 128, 191}},
    {330, true, 4, 900, 17, 61, {63, 64, 66, 129, 200}},
    {640, false, 4, 900, 29, 97, {64, 65, 130, 192, 257}},
#else
    {64, false, 4, 400, 1, 23, {1, 31, 32, 33}},
    {129, false, 4, 700, 9, 61, {1, 31, 33, 64, 65}},
    {200, true, 4, 700, 13, 61, {32, 33, 65, 97, 100}},
    {2200, false, 5, 900, 61, 997, {31, 33, 65, 129, 700, 1000}},
#endif
};

static const setting longer[] = {
#if BITFIT_WORD_BITS == 64
    {64, false, 4, 20000, 1, 4, {1, 3, 17, 40}},
    {65, true, 3, 4000, 1, 4, {1, 2, 31, 64}},
    {128, false, 4, 8000, 1, 7, {1, 31, 63, 64, 65}},
    {200, true, 4, 8000, 2, 7, {1, 63, 64, 66, 130}},
    {256, false, 4, 8000, 2, 7, {1, 63, 65, 128, 191}},
    {257, false, 4, 8000, 2, 17, {1, 63, 65, 128, 191}},
    {330, true, 4, 8000, 3, 17, {3, 63, 64, 66, 129, 200}},
    {640, false, 4, 6000, 5, 37, {7, 64, 65, 130, 192, 257}},
#else
    {64, false, 4, 8000, 1, 7, {1, 31, 32, 33}},
    {129, false, 4, 8000, 3, 17, {1, 31, 33, 64, 65}},
    {200, true, 5, 8000, 5, 17, {3, 32, 33, 65, 97, 100}},
    {2200, false, 5, 3000, 11, 997, {31, 33, 65, 129, 700, 1000}},
#endif
};

static const setting *now;
static size_t region;
static size_t states_tried, calls_made, stops, repair_stops, faults;

/* Three addresses, and images of the memory. */
static _Alignas(4096) unsigned char here[REGION_MOST];
static _Alignas(4096) unsigned char there[REGION_MOST];
static _Alignas(4096) unsigned char elsewhere[REGION_MOST];
static unsigned char before[REGION_MOST], after[REGION_MOST];
static unsigned char stopped[REGION_MOST];

/* ------------------------------------------------------------- a fault */

static void check_pool(void *memory)
{
    (void)bitfit_check(memory);
}

static void fault(const char *what, const call *c, size_t stop, const view *was,
                  const view *is, const view *found)
{
    if (faults++ < FAULTS_SHOWN) {
        printf("%s: %s(block %zu, count %zu) stopped before store %zu\n"
               "  before %s\n  after  %s\n  found  %s (check: %d)\n",
               what, verb_names[c->verb], c->block, c->count, stop,
               was->picture, is->picture, found->picture, found->broken);
    }
}

/* ----------------------------------------------------------------- a stop */

static bool in_target(const bf_target *target, size_t granule)
{
    return granule >= target->left && granule < target->right;
}

/* Whether no bit outside the targets has changed: what the proof stands on. */
static bool is_local(void)
{
    const bf_intent *intent = &shared_in(stopped)->intent;
    size_t at = bf_plan_header((bf_parts){.lock = BF_LOCK_SHARED}) +
                bf_fit_pairs_offset(now->granules);
    const bf_pair *was = (const bf_pair *)(const void *)(before + at);
    const bf_pair *is = (const bf_pair *)(const void *)(stopped + at);
    for (size_t i = 0; i < now->granules; i++) {
        size_t word = bf_word_of(i);
        bf_word changed = (was[word].free ^ is[word].free) |
                          (was[word].start ^ is[word].start);
        if (changed == 0) {
            i = bf_granule_at(word, BF_WORD_BITS - 1);
        } else if ((changed >> bf_bit_of(i) & 1) != 0 &&
                   !in_target(&intent->targets[0], i) &&
                   !in_target(&intent->targets[1], i)) {
            return false;
        }
    }
    return true;
}

/* Whether what the repair found is what it may find. */
static const char *judge(const call *c, const view *was, const view *is,
                         const view *found)
{
    uint64_t op = shared_in(stopped)->intent.op;
    bool undone = is_undone(c->verb);
    bool may_be_was = op == BF_NO_OP || undone;
    bool may_be_is = op == BF_NO_OP || !undone;
    if (c->verb == SWEEP) { /* many frees: any of them may be done */
        return found->broken == 0 && same_content(is->picture, there, after)
                   ? NULL
                   : "swept";
    }
    if (op == BF_CHANGE && !is_local()) {
        return "a bit outside has changed";
    }
    if (may_be_is && same(found, is)) {
        bool moved = strcmp(is->picture, was->picture) != 0;
        return same_content(found->picture, there, moved ? after : before)
                   ? NULL
                   : "content after";
    }
    if (may_be_was && same(found, was)) {
        return same_content(found->picture, there, before) ? NULL
                                                           : "content before";
    }
    return "state";
}

/* The repair is stopped before each of its stores, and made again. */
static void stop_repair(const call *c, size_t stop, const view *was,
                        const view *is, const view *found)
{
    static view again;
    memcpy(there, stopped, region);
    orphaned = true;
    size_t stores = stop_before(STOP_NEVER, there, region, check_pool, there);
    for (size_t i = 0; i < stores; i++) {
        memcpy(there, stopped, region);
        orphaned = true;
        stop_before(i, there, region, check_pool, there);
        memcpy(elsewhere, there, region);
        orphaned = true;
        look(elsewhere, &again);
        repair_stops++;
        if (!same(&again, found)) {
            fault("repair", c, stop, was, is, &again);
        }
    }
}

static void try_stop(const call *given, size_t stop, const view *was,
                     const view *is)
{
    static view found;
    call c = *given;
    memcpy(here, before, region);
    stop_before(stop, here, region, make_call, &c);
    memcpy(stopped, here, region);
    memcpy(there, stopped, region);
    orphaned = stops++ % 2 == 0;
    if (!orphaned && bitfit_attach(there, region, true, NULL) == NULL) {
        fault("attach", &c, stop, was, is, is);
        return;
    }
    look(there, &found);
    const char *wrong = judge(&c, was, is, &found);
    if (wrong != NULL) {
        fault(wrong, &c, stop, was, is, &found);
    } else if (stops % now->repair == 0 && c.verb != SWEEP) {
        stop_repair(&c, stop, was, is, &found);
    }
}

/* ----------------------------------------------------------------- a call */

static size_t run_in(const char *picture, size_t start)
{
    size_t end = start + 1;
    while (picture[end] == picture[start]) {
        end++;
    }
    return end - start;
}

/* Whether the call, not stopped, left the slots as it has to. */
static bool slots_are_right(const call *c, const view *was, const view *is)
{
    if (c->verb == SWAP) {
        return is->roots[0] == was->roots[1] && is->roots[1] == was->roots[0];
    }
    if (c->verb == RESET) {
        return is->roots[0] == 0 && is->roots[1] == 0;
    }
    return c->verb != FREE_FROM || is->roots[0] == 0;
}

/* Whether the call, not stopped, zeroed and kept what it had to. */
static bool content_is_right(const call *c, const view *was, const view *is)
{
    size_t payload = (size_t)shared_in(after)->payload;
    bool zeroes = c->verb == CALLOC || c->verb == CALLOC_INTO;
    bool keeps =
        c->verb == REALLOC || (c->verb == REALLOC_IN && was->roots[0] != 0);
    if (c->result == 0 || (!zeroes && !keeps)) {
        return true;
    }
    if (zeroes) {
        for (size_t i = 0; i < c->count * GRANULE; i++) {
            if (after[c->result + i] != 0) {
                return false;
            }
        }
        return true;
    }
    size_t to = (size_t)(c->result - payload) / GRANULE;
    size_t old = run_in(was->picture, c->block);
    size_t new = run_in(is->picture, to);
    return memcmp(before + payload + c->block * GRANULE,
                  after + payload + to * GRANULE,
                  (old < new ? old : new) * GRANULE) == 0;
}

static void fill_payload(void)
{
    size_t payload = (size_t)shared_in(here)->payload;
    for (size_t i = 0; i < now->granules * GRANULE; i++) {
        here[payload + i] = (unsigned char)(i * 7 + 1);
    }
}

static void try_call(const unsigned char *state, call c)
{
    c.pool = (bitfit_pool *)(void *)here;
    static view was, is;
    memcpy(here, state, region);
    fill_payload();
    look(here, &was);
    memcpy(before, here, region);
    size_t stores = stop_before(STOP_NEVER, here, region, make_call, &c);
    memcpy(after, here, region);
    look(here, &is);
    calls_made++;
    if (is.broken != 0 || !slots_are_right(&c, &was, &is) ||
        !content_is_right(&c, &was, &is)) {
        fault("not stopped", &c, stores, &was, &is, &is);
    }
    for (size_t stop = 0; stop < stores; stop++) {
        try_stop(&c, stop, &was, &is);
    }
}

/* ---------------------------------------------------------------- a state */

static size_t blocks_in(const unsigned char *state, size_t *starts)
{
    static char picture[GRANULES_MOST + 1];
    size_t count = 0;
    memcpy(here, state, region);
    bitfit_draw((bitfit_pool *)(void *)here, picture, sizeof picture);
    for (size_t i = 0; picture[i] != '\0'; i += run_in(picture, i)) {
        if (picture[i] != '.') {
            starts[count++] = i;
        }
    }
    return count;
}

static void try_requests(const unsigned char *state)
{
    static const verb verbs[] = {ALLOC,      ALIGNED,      CALLOC,
                                 ALLOC_INTO, ALIGNED_INTO, CALLOC_INTO};
    for (size_t i = 0; i < SIZES_MOST && now->sizes[i] != 0; i++) {
        for (size_t v = 0; v < sizeof verbs / sizeof verbs[0]; v++) {
            try_call(state, (call){.verb = verbs[v], .count = now->sizes[i]});
        }
        try_call(state, (call){.verb = REALLOC_IN, .count = now->sizes[i]});
    }
    try_call(state, (call){.verb = RESET});
}

static void try_block(unsigned char *state, size_t block, size_t other)
{
    try_call(state, (call){.verb = FREE, .block = block});
    for (size_t i = 0; i < SIZES_MOST && now->sizes[i] != 0; i++) {
        try_call(
            state,
            (call){.verb = REALLOC, .block = block, .count = now->sizes[i]});
    }
    shared_in(state)->roots[0] = link_of(state, block);
    shared_in(state)->roots[1] = link_of(state, other);
    for (size_t i = 0; i < SIZES_MOST && now->sizes[i] != 0; i++) {
        try_call(
            state,
            (call){.verb = REALLOC_IN, .block = block, .count = now->sizes[i]});
    }
    try_call(state, (call){.verb = RESET});
    for (verb v = FREE_FROM; v <= SWEEP; v++) {
        try_call(state, (call){.verb = v, .block = block});
    }
    shared_in(state)->roots[0] = 0;
    shared_in(state)->roots[1] = 0;
}

static void try_state(unsigned char *state)
{
    size_t starts[GRANULES_MOST];
    size_t blocks = blocks_in(state, starts);
    try_requests(state);
    for (size_t i = 0; i < blocks; i++) {
        try_block(state, starts[i], starts[blocks - 1 - i]);
    }
    states_tried++;
}

/* ------------------------------------------------------------ all the states
 */

static unsigned char **found; /* images, in the order in which they came */
static uint64_t *keys;        /* of their pictures */
static size_t count_found;

static uint64_t key_of(const char *picture)
{
    uint64_t key = UINT64_C(0xCBF29CE484222325);
    for (; *picture != '\0'; picture++) {
        key = (key ^ (unsigned char)*picture) * UINT64_C(0x100000001B3);
    }
    return key | 1;
}

/* Notes the key; false if it was there. */
static bool is_new(uint64_t key)
{
    size_t room = now->states * 8;
    size_t i = key % room;
    while (keys[i] != 0 && keys[i] != key) {
        i = (i + 1) % room;
    }
    bool added = keys[i] == 0;
    keys[i] = key;
    return added;
}

static void keep_state(void)
{
    static char picture[GRANULES_MOST + 1];
    bitfit_draw((bitfit_pool *)(void *)here, picture, sizeof picture);
    if (count_found < now->states && is_new(key_of(picture))) {
        found[count_found] = malloc(region);
        memcpy(found[count_found++], here, region);
    }
}

/* The states that alloc and free lead to from this one. */
static void spread(const unsigned char *state)
{
    size_t starts[GRANULES_MOST];
    bitfit_pool *pool = (bitfit_pool *)(void *)here;
    size_t blocks = blocks_in(state, starts);
    for (size_t i = 0; i < SIZES_MOST && now->sizes[i] != 0; i++) {
        memcpy(here, state, region);
        if (blocks < now->blocks &&
            bitfit_alloc(pool, now->sizes[i] * GRANULE) != NULL) {
            keep_state();
        }
    }
    for (size_t i = 0; i < blocks; i++) {
        memcpy(here, state, region);
        bitfit_free(pool, bitfit_follow(pool, link_of(here, starts[i])));
        keep_state();
    }
}

/* The smallest region with a pool of so many granules. */
static void open_pool(void)
{
    const bitfit_options options = {.granule = GRANULE,
                                    .resize_moves = now->resize_moves};
    memset(here, 0xA5, sizeof here);
    for (region = 512; region < REGION_MOST; region += 8) {
        bitfit_pool *pool = bitfit_init_shared(here, region, &options);
        if (pool != NULL && shared_in(here)->granules == now->granules) {
            return;
        }
    }
    abort();
}

static void run(const setting *s)
{
    now = s;
    found = calloc(s->states, sizeof *found);
    keys = calloc(s->states * 8, sizeof *keys);
    count_found = states_tried = calls_made = stops = repair_stops = 0;
    open_pool();
    keep_state();
    for (size_t i = 0; i < count_found && count_found < s->states; i++) {
        spread(found[i]);
    }
    for (size_t i = 0; i < count_found; i += s->step) {
        try_state(found[i]);
    }
    printf("%5zu granules%s: %6zu states, %8zu calls, %9zu stops, %9zu in the "
           "repair, %zu faults\n",
           s->granules, s->resize_moves ? ", moving" : "", states_tried,
           calls_made, stops, repair_stops, faults);
    fflush(stdout);
    for (size_t i = 0; i < count_found; i++) {
        free(found[i]);
    }
    free(found);
    free(keys);
}

int main(int argc, char **argv)
{
    bool is_long = argc == 2 && strcmp(argv[1], "long") == 0;
    const setting *settings = is_long ? longer : quick;
    size_t count = is_long ? sizeof longer / sizeof longer[0]
                           : sizeof quick / sizeof quick[0];
    for (size_t i = 0; i < count; i++) {
        run(&settings[i]);
    }
    return faults != 0;
}
