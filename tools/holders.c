#include "holders.h"

#include "input_trace.h"
#include "symbols.h"
#include "trace/follow.h"
#include "trace/text.h"
#include "view/scheme.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct holders {
    trace_follower *from;
    symbols *names;
    site_holding sites[HOLDERS_MAX];
    char *stacks[HOLDERS_MAX]; /* of the sites, with functions' names */
    size_t count;
};

/* ------------------------------------------------------------------ finding */

/* The file of a line of /proc/PID/maps whose start is mapped to be written, as
 * the recorder has its trace; NULL for other lines. */
static const char *shared_file(char *line)
{
    char rights[5];
    unsigned long offset;
    int path = 0;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%*x-%*x %4s %lx %*s %*s %n", rights, &offset, &path) !=
            2 ||
        path == 0 || strcmp(rights, "rw-s") != 0 || offset != 0)
        return NULL;
    return line + path;
}

/* As the process sees the file system. */
static trace_follower *follow_file(pid_t pid, const char *file)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "/proc/%d/root%s", pid, file);
    return length < (int)sizeof path ? follow_open(path) : NULL;
}

static trace_follower *follow_process(pid_t pid)
{
    char path[64];
    char *line = NULL;
    size_t room = 0;
    trace_follower *found = NULL;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    while (maps != NULL && found == NULL && getline(&line, &room, maps) > 0) {
        const char *file = shared_file(line);
        if (file != NULL && *file == '/')
            found = follow_file(pid, file);
    }
    if (maps != NULL)
        fclose(maps);
    free(line);
    return found;
}

holders *holders_open(pid_t pid)
{
    holders *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return NULL;
    opened->from = follow_process(pid);
    opened->names = opened->from == NULL ? NULL : symbols_open(NULL);
    if (opened->names != NULL)
        return opened;
    holders_close(opened);
    return NULL;
}

static void forget(holders *of)
{
    while (of->count > 0)
        free(of->stacks[--of->count]);
}

void holders_close(holders *closed)
{
    if (closed == NULL)
        return;
    forget(closed);
    symbols_close(closed->names);
    follow_close(closed->from);
    free(closed);
}

/* ------------------------------------------------------------------ looking */

size_t holders_look(holders *of)
{
    if (of == NULL)
        return 0;
    forget(of);
    if (!follow_look(of->from))
        return 0;
    size_t found = follow_largest(of->from, of->sites, HOLDERS_MAX);
    while (of->count < found) {
        char *stack = symbols_of_stack(of->names, of->sites[of->count].stack);
        if (stack == NULL)
            break;
        of->stacks[of->count++] = stack;
    }
    return of->count;
}

void holders_print(const holders *of, size_t few, FILE *to, unsigned columns)
{
    enum { FRAMES = 6, BEFORE = 43, LEAST = 20 };
    char size[24];
    char blocks[32];
    char stack[512];
    size_t room = (columns > BEFORE + LEAST ? columns - BEFORE : LEAST) + 1;
    room = room < sizeof stack ? room : sizeof stack;
    for (size_t i = 0; i < few && i < of->count; i++) {
        const site_holding *site = &of->sites[i];
        fprintf(to, "%10s %10s in %9s %s  %s\n", i == 0 ? "sites" : "",
                text_of_size(size, site->requested),
                count_text(blocks, site->blocks),
                site->blocks == 1 ? "block " : "blocks",
                site_text(stack, room, of->stacks[i], FRAMES));
    }
}

json_t *holders_json(const holders *of)
{
    json_t *sites = json_array();
    for (size_t i = 0; of != NULL && i < of->count; i++) {
        json_array_append_new(
            sites, json_pack("{sI sI so}", "requested",
                             (json_int_t)of->sites[i].requested, "blocks",
                             (json_int_t)of->sites[i].blocks, "stack",
                             text_json(of->stacks[i])));
    }
    return sites;
}
