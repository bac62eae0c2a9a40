/*
 * libxml2 in a pool: one allocator for the process, set before the first use.
 *
 * - The four functions get no context, so the pool is a global. strdup is one
 *   of them, and must use the same pool.
 * - xmlCleanupParser() gives back what the library keeps. Only then is the pool
 *   empty.
 * - Without a handler, lack of memory is printed on standard error. It is also
 *   the last error; that may have no text, since a text needs memory, so ask
 *   for its code. xmlDocDumpMemory() sets no error; its result is NULL.
 * - If memory runs out in the middle of a call, version 2.9 may lose blocks.
 *   Then it is best to drop the whole pool.
 */
#include <stdio.h>

#include <libxml/parser.h>

#include "in_pool.h"

enum { BOOKS = 2000 };

static void say_nothing(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

static bool write_books(xmlNodePtr library)
{
    char title[32];
    for (int i = 0; i < BOOKS; i++) {
        snprintf(title, sizeof title, "Volume %d", i);
        if (xmlNewTextChild(library, NULL, BAD_CAST "book", BAD_CAST title) ==
            NULL) {
            return false;
        }
    }
    return true;
}

/* Makes a document, writes it as text, reads that again and counts. */
static int count_books(xmlDocPtr document)
{
    int count = -1;
    int size = 0;
    xmlChar *text = NULL;
    xmlNodePtr library = xmlNewNode(NULL, BAD_CAST "library");
    if (library == NULL) {
        return -1;
    }
    xmlDocSetRootElement(document, library);
    if (!write_books(library)) {
        return -1;
    }
    xmlDocDumpMemory(document, &text, &size);
    xmlDocPtr again = xmlReadMemory((char *)text, size, "again.xml", NULL, 0);
    if (again != NULL) {
        count = (int)xmlChildElementCount(xmlDocGetRootElement(again));
    }
    xmlFreeDoc(again);
    xmlFree(text);
    return count;
}

static const char *work(bitfit_pool *pool)
{
    const char *error = NULL;
    (void)pool;
    if (xmlMemSetup(in_pool_free, in_pool_malloc, in_pool_realloc,
                    in_pool_strdup) != 0) {
        return "the hooks were refused";
    }
    xmlSetStructuredErrorFunc(NULL, say_nothing);
    xmlDocPtr document = xmlNewDoc(BAD_CAST "1.0");
    if (document == NULL || count_books(document) != BOOKS) {
        xmlErrorPtr last = xmlGetLastError();
        bool no_memory = last != NULL && last->code == XML_ERR_NO_MEMORY;
        error = no_memory ? "XML_ERR_NO_MEMORY" : "wrong count";
    }
    xmlFreeDoc(document);
    xmlCleanupParser();
    return error;
}

int main(void)
{
    const in_pool_example example = {
        .name = "libxml2 " LIBXML_DOTTED_VERSION,
        .work = work,
        .enough = 4 << 20,
        .too_small = 256 << 10,
        .complaint = "XML_ERR_NO_MEMORY",
        .loses_blocks = true,
    };
    return in_pool_run(&example);
}
