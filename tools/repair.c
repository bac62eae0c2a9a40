/* bitfit repair: repairs a shared pool's file, as the next call would. */
#include "verbs.h"

#include "options.h"
#include "trace/text.h"
#include "view/pool_file.h"
#include "view/scheme.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct repair_request {
    const char *input;
    bool alone;
} repair_request;

static const verb_option options[] = {
    {"alone", 0, NULL,
     "Nobody has the pool open, as after a restart of the machine: make its "
     "lock anew",
     &kind_flag, offsetof(repair_request, alone)},
    {0}};

static const verb_usage usage = {
    .verb = "repair",
    .words = "POOL",
    .what = "pool",
    .help = "Repairs a shared pool's file, as the next call of any process "
            "would. Others may be at work in the pool. What no repair makes "
            "whole is not written.\v"
            "The exit code is 0 if the pool is whole now, 1 if it is damaged, "
            "2 for a bad option, 3 if the file cannot be opened, is no pool, "
            "or its lock cannot be had.",
    .options = options};

/* --------------------------------------------------------------- the copy */

static int refuse_damaged(const char *input)
{
    command_error("repair",
                  "%s: the bookkeeping contradicts itself, and no repair makes "
                  "it whole; nothing was repaired",
                  input);
    return COMMAND_NO;
}

/* Whether a repair makes it whole; says so, if not. */
static int try_on_a_copy(pool_file *from, const char *input)
{
    heap_moment moment;
    const char *why = pool_file_open(from, input);
    why = why == NULL ? pool_file_look(from, &moment) : why;
    if (why != NULL)
        return command_error("repair", "%s: %s", input, why);
    moment_close(&moment);
    return from->state == POOL_FILE_DAMAGED ? refuse_damaged(input)
                                            : COMMAND_OK;
}

/* ---------------------------------------------------------------- the lock */

/* In a handler there is no more to call than write(). */
static void give_up(int signal)
{
    static const char message[] =
        "bitfit repair: its lock is held, and is not given back: by a process "
        "that is stopped, or since before the machine was restarted; then use "
        "--alone\n";
    (void)signal;
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
        _exit(COMMAND_INPUT);
    _exit(COMMAND_INPUT);
}

/* A repair that takes its time is no wait: a pass over a huge pool. */
static void give_up_after_a_while(size_t size)
{
    enum { SECONDS = 5, SLOW_SHIFT = 33 };
    const struct sigaction action = {.sa_handler = give_up};
    sigaction(SIGALRM, &action, NULL);
    alarm(SECONDS + (unsigned)(size >> SLOW_SHIFT));
}

static int repair(bitfit_pool *pool, size_t size, const repair_request *request)
{
    bitfit_status status;
    char changes[48];
    uint64_t before = bitfit_repairs(pool);
    if (!request->alone)
        give_up_after_a_while(size);
    if (bitfit_attach(pool, size, request->alone, &status) == NULL) {
        return command_error("repair", "%s: %s", request->input,
                             status == BITFIT_BAD_LOCK
                                 ? "its lock is damaged; --alone makes it anew"
                                 : bitfit_status_text(status));
    }
    if (bitfit_check(pool) != 0)
        return refuse_damaged(request->input);
    uint64_t made = bitfit_repairs(pool) - before;
    char name[512];
    snprintf(name, sizeof name, "%s", request->input);
    text_make_visible(name);
    if (made == 0)
        printf("%s: whole: no change was broken off\n", name);
    else
        printf("%s: repaired: %s had been broken off\n", name,
               things_text(changes, made, "change"));
    return COMMAND_OK;
}

/* ---------------------------------------------------------------- the file */

/* Programs that tell each other by flock() are not disturbed. */
static int open_and_repair(const repair_request *request, const pool_file *from)
{
    void *mapping;
    size_t mapped;
    int file = open(request->input, O_RDWR | O_CLOEXEC);
    int code = COMMAND_OK;
    if (file < 0)
        return command_error("repair", "%s: %s", request->input,
                             strerror(errno));
    if (flock(file, (request->alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        code =
            command_error("repair", "%s: others have it open", request->input);
    } else {
        void *pool =
            pool_file_map(file, from->size, from->front, &mapping, &mapped);
        code = pool == MAP_FAILED
                   ? command_error("repair", "%s: %s", request->input,
                                   strerror(errno))
                   : repair(pool, from->size, request);
        if (pool != MAP_FAILED)
            munmap(mapping, mapped);
    }
    close(file);
    return code;
}

int verb_repair(int argc, char **argv)
{
    repair_request request = {.alone = false};
    request.input = options_take(&usage, argc, argv, &request).at[0];
    pool_file from;
    int code = try_on_a_copy(&from, request.input);
    if (code == COMMAND_OK)
        code = open_and_repair(&request, &from);
    pool_file_close(&from);
    return code;
}
