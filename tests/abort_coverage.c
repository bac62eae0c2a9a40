/* A program that ends by abort() or _exit() writes no coverage counts by
 * itself. The linker sends calls of _exit() to __wrap__exit(). */
#include <signal.h>

#ifdef __clang__
int __llvm_profile_write_file(void);
#define WRITE_COUNTS() ((void)__llvm_profile_write_file())
#else
void __gcov_dump(void);
#define WRITE_COUNTS() __gcov_dump()
#endif

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
    WRITE_COUNTS();
    __real__exit(status);
}

static void dump_counts(int number)
{
    WRITE_COUNTS();
    signal(number, SIG_DFL);
    raise(number);
}

__attribute__((constructor)) static void dump_counts_on_abort(void)
{
    signal(SIGABRT, dump_counts);
}
