#include "launch.h"

#include "command.h"
#include "view/outside.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <link.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
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
    if (strpbrk(library, " :") != NULL) {
        command_error(verb,
                      "LD_PRELOAD has no way to write a space or a colon: %s",
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

static bool is_executable(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) &&
           access(path, X_OK) == 0;
}

/* As execvp() looks for it. Returns 0 or an errno. */
static int find_program(const char *name, char path[static PATH_MAX])
{
    if (strchr(name, '/') != NULL) {
        if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
            return ENAMETOOLONG;
        if (access(path, F_OK) != 0)
            return errno;
        return is_executable(path) ? 0 : EACCES;
    }
    const char *folders = getenv("PATH");
    int error = ENOENT;
    if (*name == '\0')
        return ENOENT;
    for (const char *at = folders != NULL ? folders : "/bin:/usr/bin";
         at != NULL;) {
        size_t length = strcspn(at, ":");
        snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, at,
                 length > 0 ? "/" : "", name);
        if (is_executable(path))
            return 0;
        if (access(path, F_OK) == 0)
            error = EACCES;
        at = at[length] == ':' ? at + length + 1 : NULL;
    }
    return error;
}

/* Whether the kernel starts it with AT_SECURE, so that ld.so ignores
 * LD_PRELOAD. */
static bool gains_rights(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return false;
    if ((about.st_mode & S_ISUID) != 0 && about.st_uid != getuid())
        return true;
    if ((about.st_mode & S_ISGID) != 0 && about.st_gid != getgid())
        return true;
    return getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

bool launch_is_self(char **program, const char *verb)
{
    char path[PATH_MAX];
    return program[1] != NULL && strcmp(program[1], verb) == 0 &&
           find_program(program[0], path) == 0 && outside_is_this_command(path);
}

typedef enum program_kind {
    PROGRAM_GOOD,
    PROGRAM_SCRIPT,
    PROGRAM_STATIC,
    PROGRAM_OTHER_MACHINE
} program_kind;

/* This command's own header, by the linker: the measure of what is for us. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static bool is_for_us(const ElfW(Ehdr) * header)
{
    return header->e_machine == __ehdr_start.e_machine &&
           header->e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS];
}

static bool has_interpreter(int file, const ElfW(Ehdr) * header)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        off_t at = (off_t)(header->e_phoff + i * header->e_phentsize);
        if (pread(file, &segment, sizeof segment, at) != sizeof segment)
            return true; /* let the system judge it */
        if (segment.p_type == PT_INTERP)
            return true;
    }
    return false;
}

static program_kind kind_of_elf(int file, const ElfW(Ehdr) * header)
{
    if (!is_for_us(header))
        return PROGRAM_OTHER_MACHINE;
    return has_interpreter(file, header) ? PROGRAM_GOOD : PROGRAM_STATIC;
}

/* What can be read of a file; stores a script's interpreter. */
static program_kind kind_of(const char *path, char interpreter[static PATH_MAX])
{
    union {
        ElfW(Ehdr) header;
        char text[256];
    } start = {.text = {0}};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : pread(file, &start, sizeof start - 1, 0);
    program_kind kind = PROGRAM_GOOD;
    if (length > 2 && memcmp(start.text, "#!", 2) == 0) {
        const char *name = start.text + 2 + strspn(start.text + 2, " \t");
        snprintf(interpreter, PATH_MAX, "%.*s", (int)strcspn(name, " \t\n"),
                 name);
        kind = PROGRAM_SCRIPT;
    } else if (length >= (ssize_t)sizeof start.header &&
               memcmp(start.header.e_ident, ELFMAG, SELFMAG) == 0) {
        kind = kind_of_elf(file, &start.header);
    }
    if (file >= 0)
        close(file);
    return kind;
}

static int refuse(const char *verb, const char *path, const char *why)
{
    command_error(verb, "%s %s", path, why);
    return LAUNCH_CANNOT;
}

int launch_check(const char *verb, const char *program)
{
    char path[PATH_MAX];
    char interpreter[PATH_MAX];
    int error = find_program(program, path);
    if (error != 0) {
        command_error(verb, "%s: %s", program,
                      error == ENOENT ? "no such program" : strerror(error));
        return error == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT;
    }
    program_kind kind = kind_of(path, interpreter);
    for (int depth = 0; kind == PROGRAM_SCRIPT && depth < 4; depth++) {
        memcpy(path, interpreter, sizeof path);
        kind = kind_of(path, interpreter);
    }
    if (gains_rights(path))
        return refuse(verb, path,
                      "runs with other rights than yours (setuid, setgid or "
                      "capabilities): the system ignores preloads there");
    if (kind == PROGRAM_STATIC)
        return refuse(verb, path,
                      "is statically linked: nothing can be preloaded; link "
                      "it with libbitfit-malloc instead");
    if (kind == PROGRAM_OTHER_MACHINE)
        return refuse(verb, path, "is made for another kind of processor");
    return 0;
}

/* ------------------------------------------------------------ supervising */

static const int forwarded[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                                SIGUSR2, SIGALRM, SIGTSTP, SIGWINCH};

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
        sigaddset(set, forwarded[i]);
}

static int start(const char *verb, char **argv, const sigset_t *mask,
                 pid_t *child)
{
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, mask);
    int error = posix_spawnp(child, argv[0], NULL, &attributes, argv, environ);
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

int launch(const char *verb, char **argv, int *ended_by)
{
    sigset_t watched;
    sigset_t before;
    pid_t child;
    *ended_by = LAUNCH_FAILED;
    watched_signals(&watched);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would swallow the exit code */
    sigprocmask(SIG_BLOCK, &watched, &before);
    int code = start(verb, argv, &before, &child);
    if (code == 0) {
        int status = wait_forwarding(child, &watched);
        *ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        code = *ended_by != 0 ? 128 + *ended_by : WEXITSTATUS(status);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return code;
}
