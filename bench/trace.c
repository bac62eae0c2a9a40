#include "trace.h"

#include "trace_format.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* ------------------------------------------------------------------- bytes */

typedef struct bytes {
    unsigned char *at;
    size_t size;
    size_t next;
    bool bad;
} bytes;

static bool read_file(bytes *content, const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;

    memset(content, 0, sizeof *content);
    if (file == NULL) {
        return false;
    }
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    content->at = size > 0 ? malloc((size_t)size) : NULL;
    if (content->at != NULL) {
        content->size = fread(content->at, 1, (size_t)size, file);
    }
    fclose(file);
    return content->at != NULL && content->size == (size_t)size;
}

/* Leaves content that is not compressed as it is. */
static bool decompress(bytes *content)
{
    unsigned long long size =
        ZSTD_getFrameContentSize(content->at, content->size);
    unsigned char *plain = NULL;
    size_t got = 0;

    if (size == ZSTD_CONTENTSIZE_ERROR) {
        return true;
    }
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size > SIZE_MAX / 2) {
        return false;
    }
    plain = malloc((size_t)size + 1);
    if (plain == NULL) {
        return false;
    }
    got = ZSTD_decompress(plain, (size_t)size, content->at, content->size);
    free(content->at);
    content->at = plain;
    content->size = ZSTD_isError(got) ? 0 : got;
    return !ZSTD_isError(got);
}

static uint64_t take_varint(bytes *from)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char byte = 0;

        if (from->next >= from->size) {
            from->bad = true;
            return 0;
        }
        byte = from->at[from->next++];
        value |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    from->bad = true;
    return 0;
}

/* ------------------------------------------------------------------ events */

enum { NO_SLOT = -1 };

/* What is known of a block: by its number, in the order of allocation. */
typedef struct known_block {
    int32_t slot;
    uint64_t size;
} known_block;

typedef struct reading {
    trace *into;
    bytes *from;
    known_block *blocks;
    size_t count;
    size_t capacity;
    int32_t *idle; /* slots to use again */
    size_t idle_count;
    size_t idle_capacity;
    int32_t slots;
    uint64_t live_bytes;
    uint64_t total_bytes;
} reading;

static bool grow(void **at, size_t *capacity, size_t count, size_t each)
{
    void *larger = NULL;

    if (count < *capacity) {
        return true;
    }
    *capacity = *capacity == 0 ? 1024 : *capacity * 2;
    larger = realloc(*at, *capacity * each);
    if (larger == NULL) {
        return false;
    }
    *at = larger;
    return true;
}

static void count_bytes(reading *state, uint64_t old, uint64_t size)
{
    trace *into = state->into;

    state->live_bytes += size - old;
    if (state->live_bytes > into->calls.peak_bytes) {
        into->calls.peak_bytes = state->live_bytes;
    }
    into->largest = size > into->largest ? size : into->largest;
}

static int32_t take_slot(reading *state)
{
    return state->idle_count > 0 ? state->idle[--state->idle_count]
                                 : state->slots++;
}

static bool read_alloc(reading *state, bool aligned)
{
    uint64_t align_log2 = aligned ? take_varint(state->from) : 0;
    uint64_t size = take_varint(state->from);
    known_block *block = NULL;

    if (!grow((void **)&state->blocks, &state->capacity, state->count,
              sizeof *state->blocks) ||
        size > UINT32_MAX ||
        (aligned && (size >> ALIGNED_SIZE_BITS != 0 || align_log2 > 31))) {
        return false;
    }
    block = &state->blocks[state->count++];
    block->slot = take_slot(state);
    block->size = size;
    count_bytes(state, 0, size);
    state->total_bytes += size;
    state->into->allocs++;
    return script_add(&state->into->calls, aligned ? VERB_ALIGNED : VERB_ALLOC,
                      (size_t)block->slot,
                      size | align_log2 << ALIGNED_SIZE_BITS);
}

static known_block *named_block(reading *state)
{
    uint64_t age = take_varint(state->from);
    known_block *block = NULL;

    if (age < state->count) {
        block = &state->blocks[state->count - 1 - (size_t)age];
    }
    return block != NULL && block->slot != NO_SLOT ? block : NULL;
}

static bool read_free(reading *state)
{
    known_block *block = named_block(state);
    int32_t slot = NO_SLOT;

    if (block == NULL || !grow((void **)&state->idle, &state->idle_capacity,
                               state->idle_count, sizeof *state->idle)) {
        return false;
    }
    slot = block->slot;
    block->slot = NO_SLOT;
    state->idle[state->idle_count++] = slot;
    count_bytes(state, block->size, 0);
    return script_add(&state->into->calls, VERB_FREE, (size_t)slot, 0);
}

static bool read_resize(reading *state)
{
    known_block *block = named_block(state);
    uint64_t size = take_varint(state->from);

    if (block == NULL || size > UINT32_MAX) {
        return false;
    }
    count_bytes(state, block->size, size);
    block->size = size;
    state->into->allocs++;
    state->total_bytes += size;
    return script_add(&state->into->calls, VERB_REALLOC, (size_t)block->slot,
                      size);
}

static bool read_event(reading *state)
{
    switch (state->from->at[state->from->next++]) {
    case TRACE_ALLOC:
        return read_alloc(state, false);
    case TRACE_ALIGNED:
        return read_alloc(state, true);
    case TRACE_FREE:
        return read_free(state);
    case TRACE_RESIZE:
        return read_resize(state);
    default:
        return false;
    }
}

static const char *read_events(trace *result, bytes *from)
{
    reading state = {.into = result, .from = from};
    bool good = true;

    while (good && from->next < from->size) {
        good = read_event(&state) && !from->bad;
    }
    free(state.blocks);
    free(state.idle);
    result->calls.timed_allocs = result->allocs;
    if (result->allocs > 0) {
        result->mean_size = state.total_bytes / result->allocs;
    }
    return good ? NULL : "an event makes no sense";
}

static const char *read_content(trace *result, bytes *from)
{
    uint64_t length = 0;

    if (from->size < TRACE_MAGIC_SIZE ||
        memcmp(from->at, TRACE_MAGIC, TRACE_MAGIC_SIZE) != 0) {
        return "not a trace of this version";
    }
    from->next = TRACE_MAGIC_SIZE;
    length = take_varint(from);
    if (from->bad || length > from->size - from->next) {
        return "its description is cut off";
    }
    result->about = strndup((char *)from->at + from->next, (size_t)length);
    from->next += (size_t)length;
    return read_events(result, from);
}

/* ------------------------------------------------------------------- files */

static void name_of(char *name, size_t room, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;

    snprintf(name, room, "%.*s", (int)strcspn(base, "."), base);
}

const char *trace_load(trace *result, const char *path)
{
    const char *wrong = NULL;
    bytes content;

    memset(result, 0, sizeof *result);
    name_of(result->name, sizeof result->name, path);
    if (!read_file(&content, path)) {
        wrong = "it cannot be read";
    } else if (!decompress(&content)) {
        wrong = "it cannot be decompressed";
    } else {
        wrong = read_content(result, &content);
    }
    free(content.at);
    return wrong;
}

static bool is_trace(const char *name)
{
    const char *ending = strstr(name, ".trace");

    return ending != NULL &&
           (strcmp(ending, ".trace") == 0 || strcmp(ending, ".trace.zst") == 0);
}

static int compare_traces(const void *left, const void *right)
{
    return strcmp(((const trace *)left)->name, ((const trace *)right)->name);
}

static const char *load_entry(trace_list *list, const char *path)
{
    trace *at = realloc(list->at, (list->count + 1) * sizeof *at);

    if (at == NULL) {
        return "memory is out";
    }
    list->at = at;
    return trace_load(&list->at[list->count++], path);
}

const char *traces_load(trace_list *list, const char *folder,
                        char where[static 512])
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry = NULL;
    const char *wrong = NULL;

    snprintf(where, 512, "%s", folder);
    if (open_folder == NULL) {
        return "no such folder";
    }
    while (wrong == NULL && (entry = readdir(open_folder)) != NULL) {
        if (is_trace(entry->d_name)) {
            snprintf(where, 512, "%s/%s", folder, entry->d_name);
            wrong = load_entry(list, where);
        }
    }
    closedir(open_folder);
    if (list->count > 0) {
        qsort(list->at, list->count, sizeof *list->at, compare_traces);
    }
    return wrong;
}

const trace *traces_find(const trace_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i].name, name) == 0) {
            return &list->at[i];
        }
    }
    return NULL;
}

void traces_destroy(trace_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->at[i].about);
        script_destroy(&list->at[i].calls);
    }
    free(list->at);
    memset(list, 0, sizeof *list);
}
