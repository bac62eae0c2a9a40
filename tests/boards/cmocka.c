#include "cmocka.h"

/* The names of the tests that do not run here, with blanks between them. */
#ifndef BOARD_LEFT_OUT
#define BOARD_LEFT_OUT ""
#endif

/* Long tests run in turns: a program runs one test of BOARD_TURNS. Further
 * programs of this platform run the others, but for those that other machines
 * run: of BOARD_MACHINES, each has its share of all turns. */
#ifndef BOARD_TURNS
#define BOARD_TURNS 1
#define BOARD_TURN 0
#define BOARD_MACHINES 1
#endif

static jmp_buf left;

void _fail(const char *file, int line)
{
    printf("%s:%d: failed\n", file, line);
    longjmp(left, 1);
}

void board_expect(bool holds, const char *file, int line, const char *what)
{
    if (!holds) {
        printf("not so: %s\n", what);
        _fail(file, line);
    }
}

static bool is_left_out(const char *name)
{
    const char *found = strstr(BOARD_LEFT_OUT, name);
    return found != NULL && strchr(" ", found[strlen(name)]) != NULL;
}

/* Whether it passed. */
static bool run(const struct CMUnitTest *test)
{
    void *state = test->initial_state;
    if (setjmp(left) != 0) {
        printf("FAILED %s\n", test->name);
        return false;
    }
    if (test->setup_func != NULL && test->setup_func(&state) != 0) {
        _fail("setup of the test", 0);
    }
    test->test_func(&state);
    if (test->teardown_func != NULL && test->teardown_func(&state) != 0) {
        _fail("teardown of the test", 0);
    }
    return true;
}

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
                            size_t count, CMFixtureFunction *setup,
                            CMFixtureFunction *teardown)
{
    unsigned passed = 0;
    unsigned failed = 0;
    unsigned left_out = 0;
    void *state = NULL;
    if (setup != NULL && setup(&state) != 0) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        size_t turn = i % BOARD_TURNS;
        if (turn != BOARD_TURN) {
            /* Of its row of turns, this program counts the other machines'. */
            left_out += turn / BOARD_MACHINES == BOARD_TURN / BOARD_MACHINES;
        } else if (is_left_out(tests[i].name)) {
            left_out++;
        } else if (run(&tests[i])) {
            passed++;
        } else {
            failed++;
        }
    }
    if (teardown != NULL && teardown(&state) != 0) {
        failed++;
    }
    printf("%s: %u passed, %u failed, %u left out\n", group, passed, failed,
           left_out);
    return (int)failed;
}
