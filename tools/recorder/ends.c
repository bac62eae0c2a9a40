/*
 * The ways to end that run no destructors. Another library may have to know of
 * the end, too.
 */
#include "recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static void (*next_exit)(int);

__attribute__((constructor)) static void find(void)
{
    void *found = dlsym(RTLD_NEXT, "_exit");
    memcpy(&next_exit, &found, sizeof found);
}

EXPORTED _Noreturn void _exit(int code)
{
    recorder_end();
    if (next_exit != NULL)
        next_exit(code);
    for (;;)
        syscall(SYS_exit_group, code);
}

EXPORTED _Noreturn void _Exit(int code)
{
    _exit(code);
}

/* As the C library does it, whose own ends the parent unseen. */
EXPORTED int daemon(int keep_folder, int keep_files)
{
    pid_t child = fork();
    if (child > 0)
        _exit(0);
    if (child < 0 || setsid() < 0)
        return -1;
    if (keep_folder == 0 && chdir("/") != 0)
        keep_folder = 1; /* no error there, either */
    int null = keep_files != 0 ? -1 : open("/dev/null", O_RDWR);
    if (null < 0)
        return keep_files != 0 ? 0 : -1;
    for (int file = 0; file <= 2; file++)
        dup2(null, file);
    if (null > 2)
        close(null);
    return 0;
}
