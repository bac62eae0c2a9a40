#include "functions.h"

#include <stdlib.h>

enum { AROUND = 32 }; /* so many functions may begin inside another one */

static int by_start(const void *left, const void *right)
{
    const function *a = left;
    const function *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return (a->end < b->end) - (a->end > b->end);
}

static int rank_of(const GElf_Sym *symbol)
{
    switch (GELF_ST_BIND(symbol->st_info)) {
    case STB_LOCAL:
        return 0;
    case STB_WEAK:
        return 1;
    default:
        return 2;
    }
}

static bool is_code(const GElf_Sym *symbol, GElf_Word section)
{
    int type = GELF_ST_TYPE(symbol->st_info);
    return section != SHN_UNDEF &&
           (type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC);
}

functions functions_of(Dwfl_Module *module)
{
    int symbols = dwfl_module_getsymtab(module);
    functions found = {.at = NULL};
    if (symbols > 0)
        found.at = calloc((size_t)symbols, sizeof *found.at);
    for (int i = 1; found.at != NULL && i < symbols; i++) {
        GElf_Sym symbol;
        GElf_Addr start;
        GElf_Word section = SHN_UNDEF;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &start,
                                                   &section, NULL, NULL);
        if (name != NULL && *name != '\0' && is_code(&symbol, section)) {
            found.at[found.count++] = (function){start, start + symbol.st_size,
                                                 name, rank_of(&symbol)};
        }
    }
    if (found.count > 0)
        qsort(found.at, found.count, sizeof *found.at, by_start);
    return found;
}

/* How many begin at the address or before it. */
static size_t begun(const functions *of, GElf_Addr address)
{
    size_t low = 0;
    for (size_t high = of->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (of->at[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const char *functions_name(const functions *of, GElf_Addr address)
{
    size_t last = begun(of, address);
    for (size_t i = 0; i < AROUND && i < last; i++) {
        const function *one = &of->at[last - 1 - i];
        if (address < one->end)
            return one->name;
    }
    const function *label = last == 0 ? NULL : &of->at[last - 1];
    return label != NULL && label->start == label->end ? label->name : NULL;
}
