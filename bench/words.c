/*
 * How many words of the pool's memory a call touches, against the pool's size.
 *
 * The library is compiled a second time, so that its loads and stores are seen
 * (accesses.h). (Time is measured elsewhere, with the library as it is.)
 */
#include "../tests/accesses.h"
#include "measure.h"
#include "peers.h"
#include "run.h"
#include "script.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 8, LINE = 64, NOTED_MAX = 4096, CALLS = 20000 };

/* The distinct words of one call. */
static struct {
    uintptr_t start; /* of the pool's memory */
    size_t size;
    uintptr_t words[NOTED_MAX];
    size_t count;
    bool on;
} noted;

static void note_word(uintptr_t word)
{
    for (size_t i = noted.count; i > 0; i--) {
        if (noted.words[i - 1] == word) {
            return;
        }
    }
    if (noted.count < NOTED_MAX) {
        noted.words[noted.count++] = word;
    }
}

static void accessed(const volatile void *at, size_t size, bool written)
{
    uintptr_t first = (uintptr_t)at;
    (void)written;
    if (!noted.on || first - noted.start >= noted.size) {
        return;
    }
    for (uintptr_t word = first / WORD; word <= (first + size - 1) / WORD;
         word++) {
        note_word(word);
    }
}

static size_t count_lines(void)
{
    size_t lines = 0;

    for (size_t i = 0; i < noted.count; i++) {
        bool seen = false;

        for (size_t k = 0; k < i && !seen; k++) {
            seen = noted.words[k] / (LINE / WORD) ==
                   noted.words[i] / (LINE / WORD);
        }
        lines += !seen;
    }
    return lines;
}

/* --------------------------------------------------------------- measuring */

typedef struct tally {
    uint64_t calls;
    uint64_t words;
    uint64_t lines;
    uint64_t most_words;
    uint64_t most_lines;
} tally;

static void tally_call(tally *into)
{
    size_t lines = count_lines();

    into->calls++;
    into->words += noted.count;
    into->lines += lines;
    if (noted.count > into->most_words) {
        into->most_words = noted.count;
    }
    if (lines > into->most_lines) {
        into->most_lines = lines;
    }
}

static void play_call(const bench_peer *peer, void *heap, script_call call,
                      unsigned shift, void **blocks)
{
    void **block = &blocks[call_slot(call)];

    noted.count = 0;
    noted.on = true;
    if (call_verb(call) == VERB_ALLOC) {
        *block = peer->alloc(heap, (size_t)call.size << shift);
    } else if (*block != NULL) {
        peer->free(heap, *block);
        *block = NULL;
    }
    noted.on = false;
}

static bool play(const bench_peer *peer, size_t pool, const script *calls,
                 tally by_verb[2])
{
    void **blocks = calloc(calls->slots + 1, sizeof *blocks);
    run_arena arena;
    void *heap = NULL;

    if (blocks == NULL ||
        (pool > (uint64_t)4 << 30 && peer->init_zeroed == NULL) ||
        !arena_open(&arena, pool)) {
        free(blocks);
        return false;
    }
    noted.start = (uintptr_t)arena.memory;
    noted.size = pool;
    heap = peer->init_zeroed != NULL ? peer->init_zeroed(arena.memory, pool)
                                     : peer->init(arena.memory, pool);
    for (size_t i = 0; heap != NULL && i < calls->count; i++) {
        bool live = blocks[call_slot(calls->calls[i])] != NULL;

        play_call(peer, heap, calls->calls[i], calls->shift, blocks);
        if (i >= calls->timed_from &&
            (live || call_verb(calls->calls[i]) == VERB_ALLOC)) {
            tally_call(&by_verb[call_verb(calls->calls[i])]);
        }
    }
    if (heap != NULL && peer->done != NULL) {
        peer->done(heap);
    }
    arena_close(&arena);
    free(blocks);
    return heap != NULL;
}

static void add_tally(cJSON *out, const char *name, const tally *from)
{
    cJSON *figures = cJSON_AddObjectToObject(out, name);
    double calls = (double)(from->calls > 0 ? from->calls : 1);

    cJSON_AddNumberToObject(figures, "words", (double)from->words / calls);
    cJSON_AddNumberToObject(figures, "most_words", (double)from->most_words);
    cJSON_AddNumberToObject(figures, "lines", (double)from->lines / calls);
    cJSON_AddNumberToObject(figures, "most_lines", (double)from->most_lines);
}

static void measure(const bench_peer *peer, uint64_t pool, cJSON *out)
{
    churn_plan plan = growth_plan(pool, CALLS);
    tally by_verb[2] = {{0}, {0}};
    script calls;

    if (script_churn(&calls, &plan) &&
        play(peer, (size_t)pool, &calls, by_verb)) {
        cJSON *row = cJSON_CreateObject();

        cJSON_AddStringToObject(row, "peer", peer->name);
        cJSON_AddNumberToObject(row, "pool", (double)pool);
        add_tally(row, "free", &by_verb[VERB_FREE]);
        add_tally(row, "alloc", &by_verb[VERB_ALLOC]);
        cJSON_AddItemToArray(out, row);
        fprintf(stderr,
                "%-10s 2^%-2d  alloc %5.1f words (most %3d)  free "
                "%5.1f words (most %3d)\n",
                peer->name, 63 - __builtin_clzll(pool),
                (double)by_verb[1].words / (double)by_verb[1].calls,
                (int)by_verb[1].most_words,
                (double)by_verb[0].words / (double)by_verb[0].calls,
                (int)by_verb[0].most_words);
    }
    script_destroy(&calls);
}

/* Arguments are further peers, compiled with -fsanitize=thread and linked
 * without its runtime. */
int main(int count, char **values)
{
    cJSON *all = cJSON_CreateObject();
    cJSON *out = cJSON_AddArrayToObject(all, "words");
    peer_list peers = {.count = 1, .at = {peer_bitfit()}};
    char *text = NULL;

    for (int i = 1; i < count; i++) {
        const char *wrong = peers_add_shared(&peers, values[i]);

        if (wrong != NULL) {
            fprintf(stderr, "%s: %s\n", values[i], wrong);
            return EXIT_FAILURE;
        }
    }
    for (uint64_t pool = 1024; pool <= (uint64_t)1 << 40; pool *= 4) {
        for (size_t i = 0; i < peers.count; i++) {
            measure(peers.at[i], pool, out);
        }
    }
    text = cJSON_Print(all);
    puts(text);
    free(text);
    cJSON_Delete(all);
    return EXIT_SUCCESS;
}
