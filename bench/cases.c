#include "cases.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIB = 1 << 10, MIB = 1 << 20 };

static const uint64_t gib = (uint64_t)1 << 30;

/* A kind of load: what is asked for, and how full the pool is kept. */
typedef struct load {
    const char *name;
    uint64_t size_low;
    uint64_t size_high;
    unsigned live_low;
    unsigned live_high;
} load;

static const load tiny = {"tiny", 16, 64, 70, 80};
static const load tiny_half = {"tiny-40", 16, 64, 30, 40};
static const load small = {"small", 16, 512, 70, 80};
static const load small_full = {"small-90", 16, 512, 80, 90};
static const load wide = {"wide", 16, 32 * KIB, 70, 80};
static const load wide_full = {"wide-90", 16, 32 * KIB, 80, 90};

void size_name(char *text, size_t room, uint64_t size)
{
    static const char units[] = " KMGT";
    size_t unit = 0;

    while (size >= 1024 && size % 1024 == 0 && unit + 2 < sizeof units) {
        size /= 1024;
        unit++;
    }
    if (unit == 0) {
        snprintf(text, room, "%llu", (unsigned long long)size);
    } else {
        snprintf(text, room, "%llu%c", (unsigned long long)size, units[unit]);
    }
}

static bench_case *add(case_list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        bench_case *at = realloc(list->at, capacity * sizeof *at);

        if (at == NULL) {
            return NULL;
        }
        list->at = at;
        list->capacity = capacity;
    }
    memset(&list->at[list->count], 0, sizeof list->at[list->count]);
    return &list->at[list->count++];
}

static bool add_lifo(case_list *list, size_t pool, uint64_t size, size_t depth,
                     enum lock_mode lock, enum effort from)
{
    static const char *const prefixes[] = {"", "mutex-", "threads-"};
    bench_case *it = add(list);
    char burst[SIZE_NAME_ROOM] = "";
    char pool_name[SIZE_NAME_ROOM];
    char bytes_name[SIZE_NAME_ROOM];

    if (it == NULL) {
        return false;
    }
    size_name(pool_name, sizeof pool_name, pool);
    size_name(bytes_name, sizeof bytes_name, size);
    if (depth > 1) {
        size_name(burst, sizeof burst, depth);
    }
    snprintf(it->name, sizeof it->name, "%slifo%s-%s-%s", prefixes[lock], burst,
             pool_name, bytes_name);
    it->group = lock == LOCK_NONE ? "lifo" : "mutex";
    it->unit = "pair";
    it->kind = CASE_LIFO;
    it->lock = lock;
    it->from = from;
    it->pool = pool;
    it->size_low = size;
    it->size_high = size;
    it->depth = depth;
    it->count = 200000;
    return true;
}

static bool add_churn(case_list *list, size_t pool, const load *what,
                      size_t count, enum lock_mode lock, enum effort from)
{
    static const char *const prefixes[] = {"", "mutex-", "threads-"};
    static const char *const groups[] = {"churn", "mutex", "threads"};
    bench_case *it = add(list);
    char pool_name[SIZE_NAME_ROOM];

    if (it == NULL) {
        return false;
    }
    size_name(pool_name, sizeof pool_name, pool);
    snprintf(it->name, sizeof it->name, "%schurn-%s-%s", prefixes[lock],
             pool_name, what->name);
    it->group = groups[lock];
    it->unit = "pair";
    it->kind = CASE_CHURN;
    it->lock = lock;
    it->from = from;
    it->pool = pool;
    it->size_low = what->size_low;
    it->size_high = what->size_high;
    it->live_low = what->live_low;
    it->live_high = what->live_high;
    it->count = count;
    return true;
}

static bool add_latency(case_list *list, size_t pool, const load *what,
                        enum effort from)
{
    bench_case *it = NULL;
    char pool_name[SIZE_NAME_ROOM];

    if (!add_churn(list, pool, what, 50000, LOCK_NONE, from)) {
        return false;
    }
    it = &list->at[list->count - 1];
    size_name(pool_name, sizeof pool_name, pool);
    snprintf(it->name, sizeof it->name, "latency-%s-%s", pool_name, what->name);
    it->group = "latency";
    it->unit = "call";
    it->kind = CASE_LATENCY;
    return true;
}

static bool add_fill(case_list *list, size_t pool, const load *what,
                     enum effort from)
{
    for (int part = 0; part < 2; part++) {
        bench_case *it = add(list);
        char pool_name[SIZE_NAME_ROOM];

        if (it == NULL) {
            return false;
        }
        size_name(pool_name, sizeof pool_name, pool);
        snprintf(it->name, sizeof it->name, "%s-%s-%s",
                 part == 0 ? "fill" : "drain", pool_name, what->name);
        it->group = "fill";
        it->unit = "call";
        it->kind = part == 0 ? CASE_FILL : CASE_DRAIN;
        it->from = from;
        it->pool = pool;
        it->size_low = what->size_low;
        it->size_high = what->size_high;
    }
    return true;
}

static bool add_checker(case_list *list, size_t pool, unsigned granules,
                        bool full, enum effort from)
{
    bench_case *it = add(list);
    char pool_name[SIZE_NAME_ROOM];

    if (it == NULL) {
        return false;
    }
    size_name(pool_name, sizeof pool_name, pool);
    snprintf(it->name, sizeof it->name, "checker%s-%s-%u", full ? "-full" : "",
             pool_name, granules);
    it->group = "checker";
    it->unit = full ? "NULL" : "pair";
    it->kind = CASE_CHECKER;
    it->from = from;
    it->pool = pool;
    it->size_low = (uint64_t)granules * 16;
    it->size_high = it->size_low;
    it->count = 100000;
    it->full = full;
    return true;
}

bool cases_add_replay(case_list *list, const char *trace, size_t pool,
                      enum effort from)
{
    bench_case *it = add(list);

    if (it == NULL) {
        return false;
    }
    snprintf(it->name, sizeof it->name, "replay-%s", trace);
    snprintf(it->trace, sizeof it->trace, "%s", trace);
    it->group = "replay";
    it->unit = "alloc";
    it->kind = CASE_REPLAY;
    it->from = from;
    it->pool = pool;
    return true;
}

static bool add_lifos(case_list *list)
{
    static const size_t pools[] = {KIB, 4 * KIB, 64 * KIB, MIB, 64 * MIB};
    static const uint64_t sizes[] = {16, 64, 256, 1024, 4096, 32 * KIB};
    static const size_t bursts[] = {3, 16};
    bool ok = true;

    for (size_t p = 0; p < sizeof pools / sizeof *pools; p++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            bool main_pool = pools[p] == MIB || pools[p] == 64 * KIB;
            enum effort from = main_pool || s == 1 ? EFFORT_QUICK : EFFORT_FULL;

            from = pools[p] == MIB && s == 1 ? EFFORT_SMOKE : from;
            if (sizes[s] <= pools[p] / 2) {
                ok = add_lifo(list, pools[p], sizes[s], 1, LOCK_NONE, from) &&
                     ok;
            }
        }
    }
    ok = add_lifo(list, 4 * gib, 64, 1, LOCK_NONE, EFFORT_FULL) && ok;
    for (size_t b = 0; b < sizeof bursts / sizeof *bursts; b++) {
        ok = add_lifo(list, MIB, 64, bursts[b], LOCK_NONE, EFFORT_QUICK) &&
             add_lifo(list, MIB, 1024, bursts[b], LOCK_NONE, EFFORT_QUICK) &&
             ok;
    }
    return ok;
}

static bool add_churns(case_list *list)
{
    bool ok = true;

#define CHURN(pool, what, count, from)                                         \
    (ok = add_churn(list, (pool), &(what), (count), LOCK_NONE, (from)) && ok)
    CHURN(KIB, tiny, 100000, EFFORT_QUICK);
    CHURN(4 * KIB, tiny, 100000, EFFORT_QUICK);
    CHURN(KIB, tiny_half, 100000, EFFORT_QUICK);
    CHURN(4 * KIB, tiny_half, 100000, EFFORT_QUICK);
    CHURN(4 * KIB, small, 100000, EFFORT_QUICK);
    CHURN(64 * KIB, small, 100000, EFFORT_SMOKE);
    CHURN(64 * KIB, small_full, 100000, EFFORT_QUICK);
    CHURN(256 * KIB, small, 100000, EFFORT_QUICK);
    CHURN(MIB, small, 100000, EFFORT_SMOKE);
    CHURN(MIB, small_full, 100000, EFFORT_QUICK);
    CHURN(4 * MIB, small, 100000, EFFORT_QUICK);
    CHURN(MIB, wide, 100000, EFFORT_QUICK);
    CHURN(MIB, wide_full, 100000, EFFORT_QUICK);
    CHURN(64 * MIB, small, 200000, EFFORT_QUICK);
    CHURN(64 * MIB, small_full, 200000, EFFORT_FULL);
    CHURN(64 * MIB, wide, 100000, EFFORT_QUICK);
    CHURN(64 * MIB, wide_full, 100000, EFFORT_QUICK);
    CHURN(4 * gib, wide, 100000, EFFORT_FULL);
#undef CHURN
    return ok;
}

/* Programs write to what they allocate. Then even a good-fit allocator that
 * reads the block's header saves nothing, and one that does not loses a part of
 * its lead. */
static bool add_touched(case_list *list)
{
    static const size_t pools[] = {MIB, 64 * MIB};
    bool ok = true;

    for (size_t i = 0; i < 2; i++) {
        bench_case *it = NULL;

        ok = add_churn(list, pools[i], &small, 100000, LOCK_NONE,
                       EFFORT_QUICK) &&
             ok;
        it = &list->at[list->count - 1];
        strncat(it->name, "-touched", sizeof it->name - strlen(it->name) - 1);
        it->touch = true;
    }
    return ok;
}

static bool add_locked(case_list *list)
{
    static const size_t pools[] = {64 * KIB, MIB, 64 * MIB};
    bool ok = true;

    ok = add_lifo(list, MIB, 64, 1, LOCK_MUTEX, EFFORT_SMOKE) && ok;
    ok = add_lifo(list, MIB, 1024, 1, LOCK_MUTEX, EFFORT_QUICK) && ok;
    for (size_t i = 0; i < 3; i++) {
        ok = add_churn(list, pools[i], &small, 100000, LOCK_MUTEX,
                       EFFORT_QUICK) &&
             ok;
    }
    return add_churn(list, MIB, &wide, 100000, LOCK_MUTEX, EFFORT_QUICK) && ok;
}

static bool add_boards(case_list *list)
{
    static const size_t pools[] = {64 * KIB, MIB, 64 * MIB};
    static const unsigned granules[] = {2, 3, 65};
    bool ok = true;

    for (size_t p = 0; p < 3; p++) {
        for (size_t g = 0; g < 3; g++) {
            enum effort from = p == 1 ? EFFORT_QUICK : EFFORT_FULL;

            from = p == 1 && g == 1 ? EFFORT_SMOKE : from;
            ok = add_checker(list, pools[p], granules[g], false, from) && ok;
        }
    }
    ok = add_checker(list, MIB, 2, true, EFFORT_QUICK) && ok;
    return add_checker(list, MIB, 65, true, EFFORT_QUICK) && ok;
}

static bool add_fills(case_list *list)
{
    bool ok = true;

    ok = add_fill(list, 64 * KIB, &small, EFFORT_QUICK) && ok;
    ok = add_fill(list, MIB, &small, EFFORT_SMOKE) && ok;
    ok = add_fill(list, 64 * MIB, &small, EFFORT_QUICK) && ok;
    return add_fill(list, 64 * MIB, &wide, EFFORT_FULL) && ok;
}

static bool add_latencies(case_list *list)
{
    bool ok = true;

    ok = add_latency(list, 64 * KIB, &small, EFFORT_SMOKE) && ok;
    ok = add_latency(list, MIB, &small, EFFORT_QUICK) && ok;
    ok = add_latency(list, MIB, &wide, EFFORT_QUICK) && ok;
    ok = add_latency(list, 64 * MIB, &small, EFFORT_QUICK) && ok;
    ok = add_latency(list, 64 * MIB, &wide, EFFORT_QUICK) && ok;
    return add_latency(list, gib, &wide, EFFORT_QUICK) && ok;
}

/* Pools up to more than any memory there is: address space is all they need. */
static bool add_growth(case_list *list, size_t pool, enum case_kind kind,
                       enum effort from)
{
    bench_case *it = add(list);
    char pool_name[SIZE_NAME_ROOM];

    if (it == NULL) {
        return false;
    }
    size_name(pool_name, sizeof pool_name, pool);
    snprintf(it->name, sizeof it->name, "%s-%s",
             kind == CASE_INIT ? "init" : "growth", pool_name);
    it->group = "growth";
    it->unit = kind == CASE_INIT ? "init" : "pair";
    it->kind = kind;
    it->from = from;
    it->pool = pool;
    it->count = 50000;
    it->fresh = true;
    return true;
}

static bool add_growths(case_list *list)
{
    bool ok = true;

    for (unsigned log2 = 10; log2 <= 40 && log2 < sizeof(size_t) * 8 - 2;
         log2 += 2) {
        enum effort from =
            log2 % 4 == 0 || log2 == 10 ? EFFORT_QUICK : EFFORT_FULL;

        from = log2 == 20 ? EFFORT_SMOKE : from;
        ok = add_growth(list, (size_t)1 << log2, CASE_GROWTH, from) &&
             add_growth(list, (size_t)1 << log2, CASE_INIT, from) && ok;
    }
    return ok;
}

/* The cases with threads come last: a C library may treat a process that once
 * had a second thread differently. */
bool cases_add_standard(case_list *list)
{
    bool ok = add_lifos(list) && add_churns(list) && add_touched(list) &&
              add_boards(list) && add_fills(list) && add_latencies(list) &&
              add_growths(list) && add_locked(list);

    ok = add_churn(list, MIB, &small, 100000, LOCK_THREADS, EFFORT_SMOKE) && ok;
    return add_churn(list, 64 * MIB, &small, 100000, LOCK_THREADS,
                     EFFORT_QUICK) &&
           ok;
}

void cases_destroy(case_list *list)
{
    free(list->at);
    memset(list, 0, sizeof *list);
}

static bool pattern_matches(const char *pattern, const char *name)
{
    if (pattern[0] == '=') {
        return strcmp(pattern + 1, name) == 0;
    }
    return strchr(pattern, '*') == NULL ? strstr(name, pattern) != NULL
                                        : fnmatch(pattern, name, 0) == 0;
}

bool name_matches(const char *patterns, const char *name)
{
    char pattern[128];

    if (patterns == NULL) {
        return true;
    }
    while (*patterns != '\0') {
        size_t length = strcspn(patterns, ",");

        snprintf(pattern, sizeof pattern, "%.*s", (int)length, patterns);
        if (length > 0 && pattern_matches(pattern, name)) {
            return true;
        }
        patterns += length + (patterns[length] == ',');
    }
    return false;
}
