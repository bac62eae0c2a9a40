/* bitfit check: whether a shared pool's file, or an image, is whole. */
#include "verbs.h"

#include "input_trace.h"
#include "options.h"
#include "pool_figures.h"
#include "trace/text.h"
#include "view/moment_json.h"
#include "view/outside.h"
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
    return outside_is_image(request.input)
               ? check_image(&request)
               : pool_figures("check", request.input, request.json);
}
