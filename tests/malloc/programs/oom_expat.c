/* expat reads a document with names, attributes, entities and comments. */
#include "oom.h"

#include <expat.h>
#include <stdio.h>
#include <string.h>

static void start(void *digest, const char *name, const char **attributes)
{
    oom_add(digest, name, strlen(name));
    for (; *attributes != NULL; attributes++)
        oom_add(digest, *attributes, strlen(*attributes));
}

static void end(void *digest, const char *name)
{
    oom_add(digest, name, strlen(name));
}

static void text(void *digest, const char *data, int length)
{
    oom_add(digest, data, (size_t)length);
}

static const char head[] =
    "<?xml version='1.0'?><!DOCTYPE list [<!ELEMENT list ANY>"
    "<!ATTLIST item kind CDATA 'plain'><!ENTITY e 'an entity &#38;#38; more'>]>"
    "<list xmlns='urn:a' xmlns:b='urn:b'><!-- a comment -->";

static enum XML_Status feed(XML_Parser parser)
{
    char item[256];
    enum XML_Status status =
        XML_Parse(parser, head, (int)sizeof head - 1, XML_FALSE);
    for (int i = 0; i < 40 && status == XML_STATUS_OK; i++) {
        int length =
            snprintf(item, sizeof item,
                     "<item id='%d' b:long-attribute-%d='v%d'>text &e; "
                     "<b:name%d/></item>",
                     i, i, i * i, i);
        status = XML_Parse(parser, item, length, XML_FALSE);
    }
    return status == XML_STATUS_OK ? XML_Parse(parser, "</list>", 7, XML_TRUE)
                                   : status;
}

oom_answer oom_work(uint64_t *digest)
{
    XML_Parser parser = XML_ParserCreateNS(NULL, '|');
    if (parser == NULL)
        return OOM_NO_MEMORY;
    XML_SetHashSalt(parser, 1);
    XML_SetUserData(parser, digest);
    XML_SetElementHandler(parser, start, end);
    XML_SetCharacterDataHandler(parser, text);
    enum XML_Status status = feed(parser);
    XML_ParserFree(parser);
    /* In places expat calls lack of memory by another name ("unbound prefix"),
     * so every error counts as that: the second try has to succeed. */
    return status == XML_STATUS_OK ? OOM_DONE : OOM_NO_MEMORY;
}
