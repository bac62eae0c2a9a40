#include "launch.h"

#include "command.h"
#include "view/outside.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef LAUNCH_LIBDIR
#define LAUNCH_LIBDIR "lib"
#endif

/* ----------------------------------------------------------- the library */

static bool join(char path[static PATH_MAX], const char *folder,
                 const char *below, const char *file)
{
    int length = snprintf(path, PATH_MAX, "%s/../%s/%s", folder, below, file);
    return length > 0 && length < PATH_MAX && access(path, R_OK) == 0;
}

static bool find_beside_us(const char *room, const char *file,
                           char path[static PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return false;
    self[length] = '\0';
    const char *folder = dirname(self);
    return join(path, folder, room, file) ||
           join(path, folder, LAUNCH_LIBDIR, file) ||
           join(path, folder, "lib", file) || join(path, folder, "lib64", file);
}

bool launch_find_library(const char *verb, const char *variable,
                         const char *room, const char *file,
                         char path[static PATH_MAX])
{
    const char *told = getenv(variable);
    char found[PATH_MAX];
    if (told != NULL && *told != '\0') {
        if (realpath(told, path) != NULL && access(path, R_OK) == 0)
            return true;
        command_error(verb, "%s names %s, which cannot be read: %s", variable,
                      told, strerror(errno));
        return false;
    }
    if (find_beside_us(room, file, found) && realpath(found, path) != NULL)
        return true;
    command_error(verb, "%s is not beside this program; %s may say where it is",
                  file, variable);
    return false;
}

bool launch_preload(const char *verb, const char *library)
{
    if (strpbrk(library, " :$") != NULL) {
        command_error(verb,
                      "LD_PRELOAD cannot hold a path with a space, a colon or "
                      "a dollar sign: %s",
                      library);
        return false;
    }
    const char *others = getenv("LD_PRELOAD");
    bool alone = others == NULL || *others == '\0';
    size_t room = strlen(library) + (alone ? 0 : strlen(others)) + 2;
    char *all = malloc(room);
    if (all == NULL)
        return false;
    snprintf(all, room, "%s%s%s", library, alone ? "" : ":",
             alone ? "" : others);
    bool done = setenv("LD_PRELOAD", all, 1) == 0;
    free(all);
    return done;
}

/* ----------------------------------------------------------- the program */

bool launch_is_self(char **program, const char *verb)
{
    char path[PATH_MAX];
    return program[1] != NULL && strcmp(program[1], verb) == 0 &&
           program_find(program[0], path) == 0 && outside_is_this_command(path);
}

int launch_check(const char *verb, const char *program, program_library library)
{
    char path[PATH_MAX];
    int error = program_find(program, path);
    if (error != 0) {
        command_error(verb, "%s: %s", program,
                      error == ENOENT ? "no such program" : strerror(error));
        return error == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT;
    }
    const char *why = program_refusal(path, library);
    if (why != NULL)
        command_error(verb, "%s %s", path, why);
    return why == NULL ? 0 : LAUNCH_CANNOT;
}

/* ------------------------------------------------------------ supervising */

static bool adopts; /* the descendants of the program */

static const int forwarded[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                                SIGUSR2, SIGALRM, SIGTSTP, SIGWINCH};

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
        sigaddset(set, forwarded[i]);
}

/* What execvp() does with a script that names no interpreter. */
static int start_by_shell(char **argv, const posix_spawnattr_t *attributes,
                          pid_t *child)
{
    static char shell[] = PROGRAM_SHELL;
    char path[PATH_MAX];
    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    char **all = calloc(count + 2, sizeof *all);
    int error = ENOEXEC;
    if (all != NULL && program_find(argv[0], path) == 0 &&
        program_is_text(path)) {
        all[0] = shell;
        all[1] = path;
        memcpy(all + 2, argv + 1, count * sizeof *all);
        error = posix_spawn(child, shell, NULL, attributes, all, environ);
    }
    free(all);
    return error;
}

static int start(const char *verb, char **argv, const sigset_t *mask,
                 pid_t *child)
{
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, mask);
    int error = posix_spawnp(child, argv[0], NULL, &attributes, argv, environ);
    if (error == ENOEXEC)
        error = start_by_shell(argv, &attributes, child);
    posix_spawnattr_destroy(&attributes);
    if (error == 0)
        return 0;
    command_error(verb, "%s: %s", argv[0], strerror(error));
    return error == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT;
}

/* Collects what became of the child; true once it has ended. */
static bool has_ended(pid_t child, int *status)
{
    pid_t changed;
    while ((changed = waitpid(child, status, WNOHANG | WUNTRACED)) == child) {
        if (!WIFSTOPPED(*status))
            return true;
        raise(SIGSTOP); /* the shell waits for us, not for the child */
        kill(child, SIGCONT);
    }
    return changed < 0 && errno == ECHILD;
}

static int wait_forwarding(pid_t child, const sigset_t *watched)
{
    int status = 0;
    while (!has_ended(child, &status)) {
        siginfo_t info;
        int number = sigwaitinfo(watched, &info);
        if (number > 0 && number != SIGCHLD && info.si_code != SI_KERNEL)
            kill(child, number);
    }
    return status;
}

/* Until nobody is left, or a signal says that it is enough. */
static void wait_for_others(const sigset_t *watched)
{
    pid_t ended;
    while ((ended = waitpid(-1, NULL, WNOHANG)) >= 0) {
        int number = ended > 0 ? SIGCHLD : sigwaitinfo(watched, NULL);
        if (number == SIGINT || number == SIGTERM || number == SIGHUP)
            break;
    }
}

void launch_adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    adopts = true;
}

launch_end launch(const char *verb, char **argv)
{
    sigset_t watched;
    sigset_t before;
    launch_end end = {.signal = LAUNCH_FAILED};
    watched_signals(&watched);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would swallow the exit code */
    sigprocmask(SIG_BLOCK, &watched, &before);
    end.code = start(verb, argv, &before, &end.pid);
    if (end.code == 0) {
        int status = wait_forwarding(end.pid, &watched);
        end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        end.code = end.signal != 0 ? 128 + end.signal : WEXITSTATUS(status);
        if (adopts)
            wait_for_others(&watched);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return end;
}
