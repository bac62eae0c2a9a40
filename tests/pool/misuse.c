/*
 * Misuse. Every program in misuse/ is run with the default handler: a crime
 * that is caught must end it by SIGABRT, with one exact line on standard error.
 * Then the same crimes inside this process, with a handler that returns: not a
 * byte of the pool may change.
 *
 * The programs are found in the folder BITFIT_MISUSE_DIR of the environment,
 * else where the build says.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "support.h"

#include "misuse.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef BITFIT_MISUSE_DIR
#define BITFIT_MISUSE_DIR "misuse"
#endif

/* ------------------------------------------------------------- the verdicts */

typedef enum verdict {
    CAUGHT,
    HARMLESS,     /* it is allowed, or answered with NULL */
    UNDETECTABLE, /* by design; the reason is beside it. The pool stays whole */
} verdict;

typedef struct crime {
    const char *program;
    verdict verdict;
    const char *name; /* of the crime, or why nobody can tell */
    const char *call;
} crime;

/* clang-format off */
static const crime crimes[] = {
    {"double_free_small",           CAUGHT, "double free",        "bitfit_free"},
    {"double_free_large",           CAUGHT, "double free",        "bitfit_free"},
    {"double_free_delayed",         CAUGHT, "double free",        "bitfit_free"},
    {"double_free_merged",          CAUGHT, "double free",        "bitfit_free"},
    {"double_free_sized",           CAUGHT, "double free",        "bitfit_free_sized"},
    {"double_free_through_realloc", CAUGHT, "double free",        "bitfit_realloc"},
    {"free_of_moved",               CAUGHT, "double free",        "bitfit_free"},
    {"free_after_reset",            CAUGHT, "double free",        "bitfit_free"},
    {"free_of_ended_pool",          CAUGHT, "double free",        "bitfit_free"},
    {"interior_free_small",         CAUGHT, "interior pointer",   "bitfit_free"},
    {"interior_free_large",         CAUGHT, "interior pointer",   "bitfit_free"},
    {"misaligned_free",             CAUGHT, "misaligned pointer", "bitfit_free"},
    {"foreign_free_stack",          CAUGHT, "foreign pointer",    "bitfit_free"},
    {"foreign_free_malloc",         CAUGHT, "foreign pointer",    "bitfit_free"},
    {"foreign_free_other_pool",     CAUGHT, "foreign pointer",    "bitfit_free"},
    {"foreign_free_spirit",         CAUGHT, "foreign pointer",    "bitfit_free"},
    {"free_bookkeeping",            CAUGHT, "foreign pointer",    "bitfit_free"},
    {"free_past_end",               CAUGHT, "foreign pointer",    "bitfit_free"},
    {"uninitialised_free",          CAUGHT, "foreign pointer",    "bitfit_free"},
    {"uninitialised_realloc",       CAUGHT, "foreign pointer",    "bitfit_realloc"},
    {"uninitialised_usable_size",   CAUGHT, "foreign pointer",    "bitfit_usable_size"},
    {"usable_size_freed",           CAUGHT, "double free",        "bitfit_usable_size"},
    {"usable_size_interior",        CAUGHT, "interior pointer",   "bitfit_usable_size"},
    {"realloc_foreign",             CAUGHT, "foreign pointer",    "bitfit_realloc"},
    {"realloc_interior",            CAUGHT, "interior pointer",   "bitfit_realloc"},
    {"realloc_misaligned",          CAUGHT, "misaligned pointer", "bitfit_realloc"},
    {"sized_free_small_wrong",      CAUGHT, "wrong size",         "bitfit_free_sized"},
    {"sized_free_large_wrong",      CAUGHT, "wrong size",         "bitfit_free_sized"},
    {"sized_free_wild",             CAUGHT, "wrong size",         "bitfit_free_sized"},
    {"aligned_sized_free_wrong",    CAUGHT, "wrong size",         "bitfit_free_sized"},
    {"reentry_alloc",               CAUGHT, "re-entry",           "bitfit_alloc"},
    {"reentry_aligned_alloc",       CAUGHT, "re-entry",           "bitfit_aligned_alloc"},
    {"reentry_free",                CAUGHT, "re-entry",           "bitfit_free"},
    {"reentry_check",               CAUGHT, "re-entry",           "bitfit_check"},
    {"reentry_reset",               CAUGHT, "re-entry",           "bitfit_reset"},
    {"reentry_under_lock",          CAUGHT, "re-entry",           "bitfit_alloc"},
    {"reentry_unlocked_pool",       CAUGHT, "re-entry",           "bitfit_alloc"},

    {"sized_free_right",         HARMLESS, NULL, NULL},
    {"aligned_sized_free_right", HARMLESS, NULL, NULL},
    {"calloc_overflow",          HARMLESS, NULL, NULL},
    {"impossibly_large",         HARMLESS, NULL, NULL},
    {"overflow_by_1",            HARMLESS, NULL, NULL},
    {"zero_size_distinct",       HARMLESS, NULL, NULL},
    {"zero_size_write",          HARMLESS, NULL, NULL},
    {"free_null_twice",          HARMLESS, NULL, NULL},

    {"overflow_by_8",           UNDETECTABLE, "there is no guard between blocks", NULL},
    {"overflow_string",         UNDETECTABLE, "there is no guard between blocks", NULL},
    {"read_after_free",         UNDETECTABLE, "the payload is never written", NULL},
    {"read_after_free_reused",  UNDETECTABLE, "the payload is never written", NULL},
    {"write_after_free",        UNDETECTABLE, "the payload is never read", NULL},
    {"write_after_free_reused", UNDETECTABLE, "the payload is never read", NULL},
    {"stale_free_of_reused",    UNDETECTABLE, "a block starts there again", NULL},
};
/* clang-format on */

/* ------------------------------------------------------------ running them */

enum { ROOM = 1000 };

typedef struct outcome {
    int status; /* as waitpid() gives it */
    char out[ROOM];
    char err[ROOM];
} outcome;

static void become(const char *program, int out, int err)
{
    const struct rlimit none = {0, 0};
    char path[ROOM];
    const char *folder = getenv("BITFIT_MISUSE_DIR");
    folder = folder != NULL ? folder : BITFIT_MISUSE_DIR;
    snprintf(path, sizeof path, "%s/%s", folder, program);
    setrlimit(RLIMIT_CORE, &none);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execl(path, program, (char *)NULL);
    perror(path);
    _exit(127);
}

static void read_all(int from, char *text)
{
    size_t length = 0;
    ssize_t got = 0;
    while (length < ROOM - 1 &&
           (got = read(from, text + length, ROOM - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = '\0';
    close(from);
}

/* Both outputs are short enough to wait in their pipes. */
static void run_program(const char *program, outcome *o)
{
    int out[2];
    int err[2];
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    pid_t child = fork();
    if (child == 0) {
        become(program, out[1], err[1]);
    }
    assert_true(child > 0);
    close(out[1]);
    close(err[1]);
    read_all(out[0], o->out);
    read_all(err[0], o->err);
    assert_int_equal(waitpid(child, &o->status, 0), child);
}

static void program(void **state)
{
    const crime *c = *state;
    char expect[2 * ROOM] = "";
    outcome o;
    run_program(c->program, &o);
    if (c->verdict == CAUGHT) {
        snprintf(expect, sizeof expect, "bitfit: %s: %s%s", c->name, c->call,
                 o.out);
        assert_string_equal(o.err, expect);
        assert_true(WIFSIGNALED(o.status));
        assert_int_equal(WTERMSIG(o.status), SIGABRT);
    } else {
        assert_string_equal(o.err, "");
        assert_true(WIFEXITED(o.status));
        assert_int_equal(WEXITSTATUS(o.status), 0);
    }
}

/* --------------------------------------------- with a handler that returns */

/* A picture with every kind of run: short ones, and long ones that cover whole
 * words; `.` at both ends of words. */
static const char scene[] = "AAB..C{70}.{65}D.{60}EE.F{5}G.{200}H{191}.I";

typedef struct crime_scene {
    rig rig;
    recorder seen;
    char *picture;
    unsigned char *before;
    bitfit_stats stats;
} crime_scene;

static void open_scene(crime_scene *s, bitfit_lock_kind lock)
{
    bitfit_options options = recording(&s->seen);
    options.lock_kind = lock;
    s->picture = picture_expand(scene);
    rig_open(&s->rig, strlen(s->picture), &options);
    rig_build(&s->rig, s->picture);
    s->before = malloc(s->rig.options.bookkeeping_size);
    assert_non_null(s->before);
    s->stats = rig_stats(&s->rig);
    memset(s->rig.memory, 0x3C, s->rig.size);
    memcpy(s->before, s->rig.options.bookkeeping,
           s->rig.options.bookkeeping_size);
}

static void assert_payload_unwritten(const rig *r)
{
    for (size_t i = 0; i < r->size; i++) {
        if (r->memory[i] != 0x3C) {
            assert_int_equal(r->memory[i], 0x3C);
        }
    }
}

static void close_scene(crime_scene *s)
{
    assert_payload_unwritten(&s->rig);
    bitfit_stats after = rig_stats(&s->rig);
    assert_memory_equal(&after, &s->stats, sizeof after);
    assert_picture(&s->rig, s->picture);
    assert_sound(s->rig.pool);
    free(s->before);
    free(s->picture);
    rig_close(&s->rig);
}

/* One crime was seen, and not a byte of the bookkeeping is another. */
static void assert_refused(crime_scene *s, bitfit_crime expect)
{
    assert_int_equal(s->seen.calls, 1);
    assert_int_equal(s->seen.last.crime, expect);
    assert_memory_equal(s->rig.options.bookkeeping, s->before,
                        s->rig.options.bookkeeping_size);
    s->seen.calls = 0;
}

static void commit_all(crime_scene *s, void *at, bitfit_crime expect)
{
    bitfit_free(s->rig.pool, at);
    assert_refused(s, expect);
    bitfit_free_sized(s->rig.pool, at, 16);
    assert_refused(s, expect);
    assert_null(bitfit_realloc(s->rig.pool, at, 100));
    assert_refused(s, expect);
    assert_null(bitfit_realloc(s->rig.pool, at, 0));
    assert_refused(s, expect);
    assert_int_equal(bitfit_usable_size(s->rig.pool, at), 0);
    assert_refused(s, expect);
}

static const bitfit_lock_kind kinds[] = {BITFIT_LOCK_NONE, BITFIT_LOCK_MUTEX};

static bool starts_block(const char *picture, size_t i)
{
    return picture[i] != '.' && (i == 0 || picture[i - 1] != picture[i]);
}

static void every_bad_granule_is_refused(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < LENGTH(kinds); kind++) {
        crime_scene s;
        open_scene(&s, kinds[kind]);
        for (size_t i = 0; i < s.rig.count; i++) {
            bool hole = s.picture[i] == '.';
            if (!starts_block(s.picture, i)) {
                commit_all(&s, rig_pointer(&s.rig, i),
                           hole ? BITFIT_DOUBLE_FREE : BITFIT_INTERIOR);
            }
        }
        close_scene(&s);
    }
}

static void every_misaligned_pointer_is_refused(void **state)
{
    (void)state;
    crime_scene s;
    open_scene(&s, BITFIT_LOCK_NONE);
    for (size_t i = 0; i < s.rig.size; i++) {
        if (i % 16 != 0) {
            commit_all(&s, s.rig.payload + i, BITFIT_MISALIGNED);
        }
    }
    close_scene(&s);
}

static void every_foreign_pointer_is_refused(void **state)
{
    (void)state;
    crime_scene s;
    open_scene(&s, BITFIT_LOCK_NONE);
    uintptr_t base = (uintptr_t)s.rig.payload;
    const uintptr_t offsets[] = {
        s.rig.size,          s.rig.size + 1,       s.rig.size + 16,
        (uintptr_t)0 - 1,    (uintptr_t)0 - 16,    UINTPTR_MAX / 2,
        UINTPTR_MAX / 2 + 1, (uintptr_t)0 - 65536, (uintptr_t)1 << 31};
    for (size_t i = 0; i < LENGTH(offsets); i++) {
        commit_all(&s, (void *)(base + offsets[i]), BITFIT_FOREIGN);
    }
    commit_all(&s, (void *)UINTPTR_MAX, BITFIT_FOREIGN);
    commit_all(&s, (void *)(uintptr_t)1, BITFIT_FOREIGN);
    commit_all(&s, s.rig.options.bookkeeping, BITFIT_FOREIGN);
    commit_all(&s, &s, BITFIT_FOREIGN);
    close_scene(&s);
}

static void every_wrong_size_is_refused(void **state)
{
    (void)state;
    crime_scene s;
    open_scene(&s, BITFIT_LOCK_NONE);
    for (size_t i = 0; i < s.rig.count; i++) {
        void *block = rig_pointer(&s.rig, i);
        if (!starts_block(s.picture, i)) {
            continue;
        }
        size_t right = bitfit_usable_size(s.rig.pool, block);
        for (size_t size = 0; size < s.rig.size + 100; size += 8) {
            size_t rounded = size == 0 ? 16 : (size + 15) / 16 * 16;
            if (rounded != right) {
                bitfit_free_sized(s.rig.pool, block, size);
                assert_refused(&s, BITFIT_WRONG_SIZE);
            }
        }
    }
    close_scene(&s);
}

/* A forged block in the payload, such as other allocators would believe in. */
static void forged_headers_are_never_read(void **state)
{
    (void)state;
    rig r;
    recorder seen;
    bitfit_options options = recording(&seen);
    rig_open(&r, 64, &options);
    size_t *block = bitfit_alloc(r.pool, 512);
    for (size_t i = 0; i < 512 / sizeof *block; i++) {
        block[i] = 0x41;
    }
    for (size_t i = 16; i < 512; i += 16) {
        bitfit_free(r.pool, (unsigned char *)block + i);
        assert_int_equal(seen.last.crime, BITFIT_INTERIOR);
    }
    assert_int_equal(seen.calls, 31);
    assert_int_equal(rig_stats(&r).frees, 0);
    rig_close(&r);
}

/* The longest line there is, in every room that it may get. */
static void a_line_that_does_not_fit_is_cut_off(void **state)
{
    (void)state;
    const bitfit_misuse misuse = {.crime = BITFIT_WRONG_SIZE,
                                  .call = "bitfit_aligned_alloc",
                                  .pool = (bitfit_pool *)UINTPTR_MAX,
                                  .pointer = (void *)UINTPTR_MAX,
                                  .size = SIZE_MAX};
    char whole[BF_MISUSE_LINE_MAX];
    size_t length = bf_misuse_line(&misuse, whole, sizeof whole);
    assert_true(length < sizeof whole);
    assert_int_equal(whole[length - 1], '\n');
    for (size_t room = 0; room <= length; room++) {
        char text[BF_MISUSE_LINE_MAX];
        memset(text, '#', sizeof text);
        assert_int_equal(bf_misuse_line(&misuse, text, room), room);
        assert_memory_equal(text, whole, room);
        assert_int_equal(text[room], '#');
    }
}

int main(void)
{
    enum { OTHERS = 6 };
    static struct CMUnitTest tests[LENGTH(crimes) + OTHERS] = {
        cmocka_unit_test(every_bad_granule_is_refused),
        cmocka_unit_test(every_misaligned_pointer_is_refused),
        cmocka_unit_test(every_foreign_pointer_is_refused),
        cmocka_unit_test(every_wrong_size_is_refused),
        cmocka_unit_test(forged_headers_are_never_read),
        cmocka_unit_test(a_line_that_does_not_fit_is_cut_off),
    };
    for (size_t i = 0; i < LENGTH(crimes); i++) {
        /* cmocka hands the state on as plain void *; nothing writes to it. */
        crime *c = (crime *)(uintptr_t)&crimes[i];
        tests[i + OTHERS] =
            (struct CMUnitTest){crimes[i].program, program, NULL, NULL, c};
    }
    return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
