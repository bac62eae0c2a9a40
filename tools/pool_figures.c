#include "pool_figures.h"

#include "input_trace.h"
#include "trace/text.h"
#include "view/moment_json.h"
#include "view/pool_file.h"
#include "view/terminal.h"

static int code_of(pool_file_state state)
{
    return state == POOL_FILE_WHOLE  ? COMMAND_OK
           : state == POOL_FILE_BUSY ? COMMAND_INPUT
                                     : COMMAND_NO;
}

static const char *meaning_of(pool_file_state state)
{
    static const char *const meanings[] = {
        "no change is broken off",
        "a change was begun, and nobody goes on with it\n"
        "the next call of any process repairs it, and so does `bitfit repair`; "
        "then:",
        "it changed at every look: try again",
        "the bookkeeping contradicts itself, and no repair makes it whole"};
    return meanings[state];
}

/* The block at a root, as a run; NULL if there is none. */
static const moment_run *block_at(const heap_moment *moment, bitfit_link link)
{
    for (size_t i = 0; i < moment->count; i++) {
        const moment_run *run = &moment->runs[i];
        if (run->live && run->offset + moment->payload == link)
            return run;
    }
    return NULL;
}

static void print_roots(const pool_file *from, const heap_moment *moment)
{
    for (unsigned i = 0; i < BITFIT_ROOTS; i++) {
        bitfit_link link = *bitfit_root(from->copy, i);
        const moment_run *block = block_at(moment, link);
        char size[24];
        if (link == 0)
            continue;
        if (block == NULL)
            printf("root %u leads to no block: %s\n", i, number_text(link));
        else
            printf("root %u leads to %s at %s\n", i,
                   text_of_size(size, block->size), number_text(link));
    }
}

static void print_pool(const char *path, const pool_file *from,
                       const heap_moment *moment)
{
    char name[512];
    char repairs[48];
    terminal t = terminal_of(stdout);
    snprintf(name, sizeof name, "%s", path);
    text_make_visible(name);
    printf("%s: %s: %s\n", name, pool_file_state_name(from->state),
           meaning_of(from->state));
    printf("%s broken off and repaired so far\n",
           things_text(repairs, from->repairs, "change"));
    if (from->state == POOL_FILE_DAMAGED)
        return;
    terminal_figures(&t, moment);
    print_roots(from, moment);
}

int pool_figures(const char *verb, const char *path, bool json)
{
    pool_file from;
    heap_moment moment;
    const char *why = pool_file_open(&from, path);
    why = why == NULL ? pool_file_look(&from, &moment) : why;
    if (why != NULL) {
        pool_file_close(&from);
        return command_error(verb, "%s: %s", path, why);
    }
    int code = code_of(from.state);
    if (json) {
        json_t *all = moment_json(&moment, false);
        pool_file_json(&from, all);
        code |= json_print(verb, all, JSON_INDENT(2));
    } else {
        print_pool(path, &from, &moment);
    }
    moment_close(&moment);
    pool_file_close(&from);
    return code;
}
