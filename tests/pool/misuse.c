/*
 * Each misuse of misuses.c runs in a child with the default handler: one that
 * is caught must end it by SIGABRT, with one exact line on standard error. Then
 * every bad pointer inside this process, with a handler that returns: not a
 * byte of the pool may change.
 *
 * `misuse NAME` commits one of them and nothing else; `misuse --list` names
 * them.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "support.h"

#include "misuse.h"
#include "misuses.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ------------------------------------------------------------ running them */

enum { ROOM = 1000 };

typedef struct outcome {
    int status; /* as waitpid() gives it */
    char out[ROOM];
    char err[ROOM];
} outcome;

static void run_as_child(const misuse_case *m, int out, int err)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    exit(m->run());
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
static void run_apart(const misuse_case *m, outcome *o)
{
    int out[2];
    int err[2];
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_as_child(m, out[1], err[1]);
    }
    assert_true(child > 0);
    close(out[1]);
    close(err[1]);
    read_all(out[0], o->out);
    read_all(err[0], o->err);
    assert_int_equal(waitpid(child, &o->status, 0), child);
}

/* What an emulator says when a process in it aborts. */
#ifndef BOARD_LAST_WORDS
#define BOARD_LAST_WORDS ""
#endif

static void meets_its_verdict(void **state)
{
    const misuse_case *m = *state;
    char expect[2 * ROOM] = "";
    outcome o;
    run_apart(m, &o);
    if (m->verdict == MISUSE_CAUGHT) {
        snprintf(expect, sizeof expect, "bitfit: %s: %s%s%s", m->kind, m->call,
                 o.out, BOARD_LAST_WORDS);
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
static const char scene_picture[] =
    "AAB..C{70}.{65}D.{60}EE.F{5}G.{200}H{191}.I";

typedef struct scene {
    rig rig;
    recorder seen;
    char *picture;
    unsigned char *before;
    bitfit_stats stats;
} scene;

static void scene_open(scene *s, bitfit_lock_kind lock)
{
    bitfit_options options = recording(&s->seen);
    options.lock_kind = lock;
    s->picture = picture_expand(scene_picture);
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

static void scene_close(scene *s)
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

/* One misuse was seen, and not a byte of the bookkeeping is another. */
static void assert_refused(scene *s, bitfit_misuse_kind expect)
{
    assert_int_equal(s->seen.calls, 1);
    assert_int_equal(s->seen.last.kind, expect);
    assert_memory_equal(s->rig.options.bookkeeping, s->before,
                        s->rig.options.bookkeeping_size);
    s->seen.calls = 0;
}

static void refuses_all(scene *s, void *at, bitfit_misuse_kind expect)
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
        scene s;
        scene_open(&s, kinds[kind]);
        for (size_t i = 0; i < s.rig.count; i++) {
            bool hole = s.picture[i] == '.';
            if (!starts_block(s.picture, i)) {
                refuses_all(&s, rig_pointer(&s.rig, i),
                            hole ? BITFIT_DOUBLE_FREE : BITFIT_INTERIOR);
            }
        }
        scene_close(&s);
    }
}

static void every_misaligned_pointer_is_refused(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, BITFIT_LOCK_NONE);
    for (size_t i = 0; i < s.rig.size; i++) {
        if (i % 16 != 0) {
            refuses_all(&s, s.rig.payload + i, BITFIT_MISALIGNED);
        }
    }
    scene_close(&s);
}

static void every_foreign_pointer_is_refused(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, BITFIT_LOCK_NONE);
    uintptr_t base = (uintptr_t)s.rig.payload;
    const uintptr_t offsets[] = {
        s.rig.size,          s.rig.size + 1,       s.rig.size + 16,
        (uintptr_t)0 - 1,    (uintptr_t)0 - 16,    UINTPTR_MAX / 2,
        UINTPTR_MAX / 2 + 1, (uintptr_t)0 - 65536, (uintptr_t)1 << 31};
    for (size_t i = 0; i < LENGTH(offsets); i++) {
        refuses_all(&s, (void *)(base + offsets[i]), BITFIT_FOREIGN);
    }
    refuses_all(&s, (void *)UINTPTR_MAX, BITFIT_FOREIGN);
    refuses_all(&s, (void *)(uintptr_t)1, BITFIT_FOREIGN);
    refuses_all(&s, s.rig.options.bookkeeping, BITFIT_FOREIGN);
    refuses_all(&s, &s, BITFIT_FOREIGN);
    scene_close(&s);
}

static void every_wrong_size_is_refused(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, BITFIT_LOCK_NONE);
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
    scene_close(&s);
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
        assert_int_equal(seen.last.kind, BITFIT_INTERIOR);
    }
    assert_int_equal(seen.calls, 31);
    assert_int_equal(rig_stats(&r).frees, 0);
    rig_close(&r);
}

/* The longest line there is, in every room that it may get. */
static void a_line_that_does_not_fit_is_cut_off(void **state)
{
    (void)state;
    const bitfit_misuse misuse = {.kind = BITFIT_WRONG_SIZE,
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

/* -------------------------------------------------------------- running it */

static int run_one(const char *name)
{
    for (size_t i = 0; i < misuse_count; i++) {
        if (strcmp(misuses[i].name, name) == 0) {
            return misuses[i].run();
        }
    }
    fprintf(stderr, "there is no misuse %s; --list names them\n", name);
    return EXIT_FAILURE;
}

static int list(void)
{
    for (size_t i = 0; i < misuse_count; i++) {
        puts(misuses[i].name);
    }
    return EXIT_SUCCESS;
}

static int run_all(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(every_bad_granule_is_refused),
        cmocka_unit_test(every_misaligned_pointer_is_refused),
        cmocka_unit_test(every_foreign_pointer_is_refused),
        cmocka_unit_test(every_wrong_size_is_refused),
        cmocka_unit_test(forged_headers_are_never_read),
        cmocka_unit_test(a_line_that_does_not_fit_is_cut_off),
    };
    static struct CMUnitTest tests[MISUSES_MAX];
    for (size_t i = 0; i < misuse_count; i++) {
        tests[i] = (struct CMUnitTest){misuses[i].name, meets_its_verdict, NULL,
                                       NULL, &misuses[i]};
    }
    return cmocka_run_group_tests_name("misuse, with a handler that returns",
                                       others, NULL, NULL) +
           _cmocka_run_group_tests("misuse", tests, misuse_count, NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        return run_all();
    }
    return strcmp(argv[1], "--list") == 0 ? list() : run_one(argv[1]);
}
