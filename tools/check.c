/* bitfit check: whether a shared pool's file, or an image, is whole. */
#include "verbs.h"

#include "input_trace.h"
#include "options.h"
#include "trace/text.h"
#include "view/moment_json.h"
#include "view/outside.h"
#include "view/pool_file.h"
#include "view/terminal.h"

typedef struct check_request {
    const char *input;
    bool json;
} check_request;

static const verb_option options[] = {{"json", 0, NULL,
                                       "Print the figures as JSON", &kind_flag,
                                       offsetof(check_request, json)},
                                      {0}};

static const verb_usage usage = {
    .verb = "check",
    .words = "POOL|IMAGE",
    .what = "pool or image",
    .help = "Says what a crash left in a shared pool's file. A copy is "
            "repaired and shown; the file is not written, its lock is not "
            "taken, and nobody is stopped.\v"
            "The exit code is 0 if the pool is whole, 1 if it needs repair or "
            "is damaged, 2 for a bad option, 3 if the file cannot be read, is "
            "no pool, or changed at every look.",
    .options = options};

/* -------------------------------------------------------------------- pools */

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

static void print_pool(const check_request *request, const pool_file *from,
                       const heap_moment *moment)
{
    char name[512];
    char repairs[48];
    terminal t = terminal_of(stdout);
    snprintf(name, sizeof name, "%s", request->input);
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

static int check_pool(const check_request *request)
{
    pool_file from;
    heap_moment moment;
    const char *why = pool_file_open(&from, request->input);
    why = why == NULL ? pool_file_look(&from, &moment) : why;
    if (why != NULL) {
        pool_file_close(&from);
        return command_error("check", "%s: %s", request->input, why);
    }
    int code = code_of(from.state);
    if (request->json) {
        json_t *all = moment_json(&moment, false);
        pool_file_json(&from, all);
        code |= json_print("check", all, JSON_INDENT(2));
    } else {
        print_pool(request, &from, &moment);
    }
    moment_close(&moment);
    pool_file_close(&from);
    return code;
}

/* ------------------------------------------------------------------- images */

static int check_image(const check_request *request)
{
    heap_moment moment;
    const char *why = outside_read_image(request->input, &moment);
    if (why != NULL)
        return command_error("check", "%s: %s", request->input, why);
    const char *state = moment.torn ? "torn" : "whole";
    int code = moment.torn ? COMMAND_NO : COMMAND_OK;
    if (request->json) {
        json_t *all = moment_json(&moment, false);
        json_object_set_new(all, "state", json_string(state));
        code |= json_print("check", all, JSON_INDENT(2));
    } else {
        terminal t = terminal_of(stdout);
        char name[512];
        snprintf(name, sizeof name, "%s", request->input);
        text_make_visible(name);
        printf("%s: %s: an image%s\n", name, state,
               moment.torn ? ", made while the pool changed" : "");
        terminal_figures(&t, &moment);
    }
    moment_close(&moment);
    return code;
}

int verb_check(int argc, char **argv)
{
    check_request request = {.json = false};
    request.input = options_take(&usage, argc, argv, &request).at[0];
    return outside_is_image(request.input) ? check_image(&request)
                                           : check_pool(&request);
}
