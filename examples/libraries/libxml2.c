/*
 * libxml2 in a pool: one allocator for the process, set before the first use.
 *
 * - The four functions get no context: the pool is a global. strdup is one of
 *   them, and has to take from the same pool.
 * - xmlCleanupParser() gives back what the library keeps; only then the pool is
 *   empty.
 * - Lack of memory is printed on standard error unless a handler is set, and is
 *   kept as the last error. Its text would need memory: it may have none, so
 *   ask for the code. xmlDocDumpMemory() sets none and leaves the text NULL.
 * - Where memory ends in the middle of a call, version 2.9 may lose blocks. It
 *   is best to give the pool up as a whole then.
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
