#include "symbols.h"

#include <elfutils/libdwfl.h>
#include <libiberty/demangle.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A frame as the recorder writes it, and as people read it. */
typedef struct frame_name {
    char *raw;
    char *name;
} frame_name;

typedef struct file_module {
    char *path;
    Dwfl_Module *module; /* NULL: it cannot be read */
} file_module;

struct symbols {
    Dwfl *files;
    void *frames;  /* a tree of frame_name, by raw */
    void *modules; /* a tree of file_module, by path */
};

/* ------------------------------------------------------------------- trees */

static int compare_frames(const void *left, const void *right)
{
    return strcmp(((const frame_name *)left)->raw,
                  ((const frame_name *)right)->raw);
}

static int compare_modules(const void *left, const void *right)
{
    return strcmp(((const file_module *)left)->path,
                  ((const file_module *)right)->path);
}

static void free_frame(void *at)
{
    frame_name *frame = at;
    free(frame->raw);
    free(frame->name);
    free(frame);
}

static void free_module(void *at)
{
    file_module *module = at;
    free(module->path);
    free(module);
}

/* ------------------------------------------------------------------- names */

static Dwfl_Module *report(symbols *with, const char *path)
{
    dwfl_report_begin_add(with->files);
    Dwfl_Module *module = dwfl_report_offline(with->files, path, path, -1);
    dwfl_report_end(with->files, NULL, NULL);
    return module;
}

/* NULL if the file cannot be read. */
static Dwfl_Module *module_of(symbols *with, const char *path)
{
    file_module key = {.path = (char *)(uintptr_t)path};
    void *found = tfind(&key, &with->modules, compare_modules);
    if (found != NULL)
        return (*(file_module **)found)->module;
    file_module *added = malloc(sizeof *added);
    if (added == NULL || (added->path = strdup(path)) == NULL) {
        free(added);
        return NULL;
    }
    added->module = report(with, path);
    if (tsearch(added, &with->modules, compare_modules) == NULL)
        free_module(added);
    return module_of(with, path);
}

/* A name without its version, as in "read@@GLIBC_2.2.5", and without what would
 * be taken for the end of a frame. */
static char *clean(char *name)
{
    char *version = name == NULL ? NULL : strchr(name, '@');
    if (version != NULL)
        *version = '\0';
    for (char *at = name; at != NULL && *at != '\0'; at++) {
        if (*at == ';' || (unsigned char)*at < ' ')
            *at = '_';
    }
    return name;
}

static char *function_at(Dwfl_Module *module, uint64_t address)
{
    GElf_Addr bias = 0;
    if (module == NULL || dwfl_module_getelf(module, &bias) == NULL)
        return NULL;
    const char *name = dwfl_module_addrname(module, address + bias);
    if (name == NULL)
        return NULL;
    char *demangled = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI);
    return clean(demangled != NULL ? demangled : strdup(name));
}

/* "PATH+0xADDRESS" */
static char *name_frame(symbols *with, const char *raw)
{
    const char *plus = strrchr(raw, '+');
    char *path = plus == NULL ? NULL : strndup(raw, (size_t)(plus - raw));
    if (path == NULL)
        return strdup(raw);
    char *name =
        function_at(module_of(with, path), strtoull(plus + 1, NULL, 16));
    free(path);
    const char *slash = strrchr(raw, '/');
    return name != NULL ? name : strdup(slash == NULL ? raw : slash + 1);
}

/* NULL if memory is out. */
static const char *name_of(symbols *with, const char *raw)
{
    frame_name key = {.raw = (char *)(uintptr_t)raw};
    void *found = tfind(&key, &with->frames, compare_frames);
    if (found != NULL)
        return (*(frame_name **)found)->name;
    frame_name *added = calloc(1, sizeof *added);
    if (added == NULL)
        return NULL;
    added->raw = strdup(raw);
    added->name = name_frame(with, raw);
    if (added->raw == NULL || added->name == NULL ||
        tsearch(added, &with->frames, compare_frames) == NULL) {
        free_frame(added);
        return NULL;
    }
    return added->name;
}

/* ------------------------------------------------------------------- stacks */

symbols *symbols_open(void)
{
    static char *debug_path;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &debug_path};
    unsetenv("DEBUGINFOD_URLS"); /* nothing is asked of the network */
    symbols *opened = calloc(1, sizeof *opened);
    if (opened != NULL && (opened->files = dwfl_begin(&callbacks)) == NULL) {
        free(opened);
        return NULL;
    }
    return opened;
}

void symbols_close(symbols *closed)
{
    if (closed == NULL)
        return;
    tdestroy(closed->frames, free_frame);
    tdestroy(closed->modules, free_module);
    dwfl_end(closed->files);
    free(closed);
}

/* Takes the raw text apart. */
static bool put_names(FILE *to, symbols *with, char *raw)
{
    const char *before = "";
    for (char *frame; (frame = strsep(&raw, ";")) != NULL; before = ";") {
        const char *name = name_of(with, frame);
        if (name == NULL || fprintf(to, "%s%s", before, name) < 0)
            return false;
    }
    return true;
}

char *symbols_of_stack(symbols *with, const char *stack)
{
    char *text = NULL;
    size_t size = 0;
    char *raw = strdup(stack);
    FILE *to = raw == NULL ? NULL : open_memstream(&text, &size);
    bool whole = to != NULL && put_names(to, with, raw);
    whole = to != NULL && fclose(to) == 0 && whole;
    free(raw);
    if (!whole)
        free(text);
    return whole ? text : NULL;
}

bool symbols_resolve(trace *of)
{
    symbols *with = symbols_open();
    bool whole = with != NULL;
    for (size_t i = 1; whole && i < of->site_count; i++) {
        char *text = symbols_of_stack(with, of->sites[i]);
        whole = text != NULL;
        if (whole) {
            free(of->sites[i]);
            of->sites[i] = text;
        }
    }
    symbols_close(with);
    return whole;
}
