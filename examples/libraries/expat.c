/*
 * Expat in a pool: each parser gets its allocator when it is created.
 *
 * - The three functions get no context, so the pool is a global.
 * - A handler that allocates should use XML_MemMalloc(), which reaches the same
 *   pool. If that fails, the handler must call XML_StopParser() itself.
 * - A parser that ran out of memory stays in error. Free it like any other.
 */
#include <stdio.h>

#include <expat.h>

#include "in_pool.h"

static const XML_Memory_Handling_Suite pool_memory = {
    in_pool_malloc,
    in_pool_realloc,
    in_pool_free,
};

enum { ITEMS = 2000 };

static void XMLCALL count_start(void *count, const XML_Char *name,
                                const XML_Char **attributes)
{
    (void)name;
    (void)attributes;
    (*(int *)count)++;
}

/* Nested, so that the parser must remember every name. */
static enum XML_Status parse_items(XML_Parser parser)
{
    char text[64];
    enum XML_Status status = XML_STATUS_OK;
    for (int i = 0; i < 2 * ITEMS && status == XML_STATUS_OK; i++) {
        bool opens = i < ITEMS;
        int length =
            opens
                ? snprintf(text, sizeof text, "<item-%d key='value %d'>", i, i)
                : snprintf(text, sizeof text, "</item-%d>", 2 * ITEMS - 1 - i);
        status = XML_Parse(parser, text, length, i == 2 * ITEMS - 1);
    }
    return status;
}

static const char *work(bitfit_pool *pool)
{
    const char *error = NULL;
    int count = 0;
    (void)pool;
    XML_Parser parser = XML_ParserCreate_MM(NULL, &pool_memory, NULL);
    if (parser == NULL) {
        return "no parser";
    }
    XML_SetUserData(parser, &count);
    XML_SetStartElementHandler(parser, count_start);
    if (parse_items(parser) != XML_STATUS_OK) {
        error = XML_ErrorString(XML_GetErrorCode(parser));
    } else if (count != ITEMS) {
        error = "wrong number of elements";
    }
    XML_ParserFree(parser);
    return error;
}

int main(void)
{
    const in_pool_example example = {
        .name = XML_ExpatVersion(),
        .work = work,
        .enough = 1 << 20,
        .too_small = 128 << 10,
        .complaint = "out of memory",
    };
    return in_pool_run(&example);
}
