/*
 * A library like those that look over a program's shoulder: its mmap() and
 * getenv() allocate, also while malloc() is being made; and its constructor
 * allocates, starts a thread and forks before any other.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void use_malloc(void)
{
    char *a = calloc(1, 100);
    a = realloc(a, 300);
    free(a);
    free(malloc(50));
}

void *mmap(void *address, size_t size, int protection, int flags, int file,
           off_t offset)
{
    typedef void *mapper(void *, size_t, int, int, int, off_t);
    use_malloc();
    mapper *next = (mapper *)dlsym(RTLD_NEXT, "mmap");
    return next(address, size, protection, flags, file, offset);
}

char *secure_getenv(const char *name)
{
    use_malloc();
    return getenv(name);
}

static void *run(void *unused)
{
    use_malloc();
    return unused;
}

__attribute__((constructor(101))) static void begin(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        use_malloc();
        _exit(0);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    pthread_join(thread, NULL);
    if (status != 0) {
        _exit(99);
    }
}
