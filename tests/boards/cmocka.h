/*
 * What the test programs use of cmocka, for machines that have no cmocka:
 * tests run one after the other in one process, and one that fails is left by
 * longjmp(). Prints a line for each program and for each failure.
 */
#ifndef BITFIT_BOARDS_CMOCKA_H
#define BITFIT_BOARDS_CMOCKA_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void CMUnitTestFunction(void **state);
typedef int CMFixtureFunction(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction *test_func;
    CMFixtureFunction *setup_func;
    CMFixtureFunction *teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(test)                                                 \
    {                                                                          \
#test, test, NULL, NULL, NULL                                          \
    }

void _fail(const char *file, int line);
void board_expect(bool holds, const char *file, int line, const char *what);
int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
                            size_t count, CMFixtureFunction *setup,
                            CMFixtureFunction *teardown);

#define cmocka_run_group_tests_name(group, tests, setup, teardown)             \
    _cmocka_run_group_tests(group, tests, sizeof(tests) / sizeof((tests)[0]),  \
                            setup, teardown)
#define cmocka_run_group_tests(tests, setup, teardown)                         \
    cmocka_run_group_tests_name(#tests, tests, setup, teardown)

#define print_message printf
#define print_error printf

#define BOARD_EXPECT(holds, what) board_expect(holds, __FILE__, __LINE__, what)
#define fail() _fail(__FILE__, __LINE__)
#define assert_true(a) BOARD_EXPECT(!!(a), #a)
#define assert_false(a) BOARD_EXPECT(!(a), "not " #a)
#define assert_null(a) BOARD_EXPECT((a) == NULL, #a " is NULL")
#define assert_non_null(a) BOARD_EXPECT((a) != NULL, #a " is not NULL")
#define assert_int_equal(a, b)                                                 \
    BOARD_EXPECT((unsigned long long)(a) == (unsigned long long)(b),           \
                 #a " == " #b)
#define assert_int_not_equal(a, b)                                             \
    BOARD_EXPECT((unsigned long long)(a) != (unsigned long long)(b),           \
                 #a " != " #b)
#define assert_in_range(a, low, high)                                          \
    BOARD_EXPECT((unsigned long long)(a) >= (unsigned long long)(low) &&       \
                     (unsigned long long)(a) <= (unsigned long long)(high),    \
                 #a " from " #low " to " #high)
#define assert_ptr_equal(a, b)                                                 \
    BOARD_EXPECT((const void *)(a) == (const void *)(b), #a " == " #b)
#define assert_ptr_not_equal(a, b)                                             \
    BOARD_EXPECT((const void *)(a) != (const void *)(b), #a " != " #b)
#define assert_string_equal(a, b)                                              \
    BOARD_EXPECT(strcmp(a, b) == 0, #a " reads " #b)
#define assert_string_not_equal(a, b)                                          \
    BOARD_EXPECT(strcmp(a, b) != 0, #a " does not read " #b)
#define assert_memory_equal(a, b, size)                                        \
    BOARD_EXPECT(memcmp(a, b, size) == 0, #a " holds " #b)

#endif
