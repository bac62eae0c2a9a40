/* A program that ends by abort() or _exit() writes no coverage counts by
 * itself. The linker sends calls of _exit() to __wrap__exit(). */
#include <signal.h>

void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}

static void dump_counts(int number)
{
    __gcov_dump();
    signal(number, SIG_DFL);
    raise(number);
}

__attribute__((constructor)) static void dump_counts_on_abort(void)
{
    signal(SIGABRT, dump_counts);
}
