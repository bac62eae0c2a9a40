/* Tests that run in the order in which they stand. */
#ifndef STAND_IN_ZTEST_H
#define STAND_IN_ZTEST_H

#include <stdio.h>
#include <stdlib.h>

#define zassert_true(condition)                                                \
    ((condition)                                                               \
         ? (void)0                                                             \
         : (printf("%s:%d: %s\n", __FILE__, __LINE__, #condition), exit(1)))
#define zassert_equal(a, b) zassert_true((a) == (b))
#define zassert_equal_ptr(a, b) zassert_true((void *)(a) == (void *)(b))
#define zassert_not_null(pointer) zassert_true((pointer) != NULL)
#define zassert_is_null(pointer) zassert_true((pointer) == NULL)

#define ZTEST(suite, name)                                                     \
    static void name(void);                                                    \
    __attribute__((                                                            \
        constructor(1000 + __COUNTER__))) static void suite##_##name(void)     \
    {                                                                          \
        stand_in_test(#suite "." #name, name);                                 \
    }                                                                          \
    static void name(void)
#define ZTEST_SUITE(suite, ...)                                                \
    _Static_assert(sizeof #suite > 1, "a name");                               \
    int main(void)                                                             \
    {                                                                          \
        return stand_in_run();                                                 \
    }                                                                          \
    int main(void)

void stand_in_test(const char *name, void (*test)(void));
int stand_in_run(void);

#endif
