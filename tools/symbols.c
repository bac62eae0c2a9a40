#include "symbols.h"

#include "fold.h"
#include "functions.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
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
    functions functions;
} file_module;

struct symbols {
    Dwfl *files;
    void *frames;  /* a tree of frame_name, by raw */
    void *modules; /* a tree of file_module, by path */
    const char *wrappers;
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
    free(module->functions.at);
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

/* NULL if memory is out. */
static const file_module *module_of(symbols *with, const char *path)
{
    file_module key = {.path = (char *)(uintptr_t)path};
    void *found = tfind(&key, &with->modules, compare_modules);
    if (found != NULL)
        return *(file_module **)found;
    file_module *added = calloc(1, sizeof *added);
    if (added == NULL || (added->path = strdup(path)) == NULL) {
        free(added);
        return NULL;
    }
    GElf_Addr bias;
    added->module = report(with, path);
    if (added->module != NULL &&
        dwfl_module_getelf(added->module, &bias) != NULL)
        added->functions = functions_of(added->module);
    if (tsearch(added, &with->modules, compare_modules) == NULL) {
        free_module(added);
        return NULL;
    }
    return added;
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

/* As people write it; the caller frees it. */
static char *readable(const char *name)
{
    char *demangled =
        name == NULL ? NULL : cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI);
    return clean(demangled != NULL || name == NULL ? demangled : strdup(name));
}

/* ------------------------------------------------------------- inlined frames
 */

/* Where the code of a frame stands; without debug information the file is
 * NULL. */
typedef struct source_place {
    const char *file;
    int line;
} source_place;

enum { INLINED_MAX = 16 };

/* What one address stands for: a function, and what was inlined into it there.
 * Innermost first. */
typedef struct expansion {
    char *names[INLINED_MAX + 1];
    source_place places[INLINED_MAX + 1];
    size_t count;
} expansion;

static source_place place_of(Dwfl_Module *module, uint64_t address)
{
    source_place found = {NULL, 0};
    Dwfl_Line *line = dwfl_module_getsrc(module, address);
    if (line != NULL)
        found.file = dwfl_lineinfo(line, NULL, &found.line, NULL, NULL, NULL);
    return found;
}

static uint64_t number_in(Dwarf_Die *of, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    dwarf_formudata(dwarf_attr(of, name, &attribute), &value);
    return value;
}

/* Where an inlined function is called. */
static source_place place_of_call(Dwarf_Die *inlined, Dwarf_Die *unit)
{
    Dwarf_Files *files;
    size_t count;
    size_t file = (size_t)number_in(inlined, DW_AT_call_file);
    if (dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return (source_place){NULL, 0};
    return (source_place){dwarf_filesrc(files, file, NULL, NULL),
                          (int)number_in(inlined, DW_AT_call_line)};
}

static const char *name_of_inlined(Dwarf_Die *inlined)
{
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(
        dwarf_attr_integrate(inlined, DW_AT_linkage_name, &attribute));
    return name != NULL ? name : dwarf_diename(inlined);
}

static void add_expanded(expansion *to, const char *name, source_place place)
{
    char *text = readable(name);
    if (text == NULL)
        return;
    to->names[to->count] = text;
    to->places[to->count++] = place;
}

/* Adds what is inlined at this address; returns where the function itself
 * stands. */
static source_place add_inlined(expansion *to, Dwfl_Module *module,
                                uint64_t address)
{
    GElf_Addr bias;
    Dwarf_Die *scopes = NULL;
    Dwarf_Die *around = NULL;
    source_place place = place_of(module, address);
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias);
    int count =
        unit == NULL ? 0 : dwarf_getscopes(unit, address - bias, &scopes);
    int outer = count <= 0 ? 0 : dwarf_getscopes_die(&scopes[0], &around);
    for (int i = 0; i < outer && to->count < INLINED_MAX; i++) {
        if (dwarf_tag(&around[i]) != DW_TAG_inlined_subroutine)
            continue;
        add_expanded(to, name_of_inlined(&around[i]), place);
        place = place_of_call(&around[i], unit);
    }
    free(scopes);
    free(around);
    return place;
}

static void put_expanded(FILE *to, const char *name, source_place place)
{
    const char *slash = place.file == NULL ? NULL : strrchr(place.file, '/');
    fputs(name, to);
    if (place.file != NULL && place.line > 0)
        fprintf(to, " (%s:%d)", slash == NULL ? place.file : slash + 1,
                place.line);
}

/* The frames of one address, outermost first; NULL where nothing is known. */
static char *expand(const file_module *file, uint64_t address)
{
    GElf_Addr bias = 0;
    expansion all = {.count = 0};
    char *text = NULL;
    size_t size;
    if (file == NULL || file->module == NULL ||
        dwfl_module_getelf(file->module, &bias) == NULL)
        return NULL;
    const char *name = functions_name(&file->functions, address + bias);
    if (name == NULL)
        return NULL;
    source_place place = add_inlined(&all, file->module, address + bias);
    add_expanded(&all, name, place);
    FILE *to = open_memstream(&text, &size);
    for (size_t i = all.count; i > 0; i--) {
        if (to != NULL) {
            put_expanded(to, all.names[i - 1], all.places[i - 1]);
            fputs(i > 1 ? ";" : "", to);
        }
        free(all.names[i - 1]);
    }
    return to != NULL && fclose(to) == 0 ? text : NULL;
}

/* "PATH+0xADDRESS" */
static char *name_frame(symbols *with, const char *raw)
{
    const char *plus = strrchr(raw, '+');
    char *path = plus == NULL ? NULL : strndup(raw, (size_t)(plus - raw));
    if (path == NULL)
        return strdup(raw);
    char *name = expand(module_of(with, path), strtoull(plus + 1, NULL, 16));
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

symbols *symbols_open(const char *wrappers)
{
    static char *debug_path;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &debug_path};
    unsetenv("DEBUGINFOD_URLS"); /* nothing is asked of the network */
    symbols *opened = calloc(1, sizeof *opened);
    if (opened != NULL)
        opened->wrappers = wrappers;
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
    if (!whole) {
        free(text);
        return NULL;
    }
    fold_frames(text, with->wrappers);
    return text;
}
