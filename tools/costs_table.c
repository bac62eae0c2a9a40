#include "costs_table.h"

#include "input_trace.h"
#include "view/scheme.h"

#include <stdio.h>

void costs_print(const trace *from, const cost *costs, size_t count,
                 size_t most)
{
    bool by_site = from->site_count > 1;
    char stack[96];
    printf("  %12s  %10s  %12s  %s\n", "live bytes", "blocks", "rounding",
           by_site ? "call stack" : "size requested");
    for (size_t i = 0; i < count && i < most; i++) {
        const cost *it = &costs[i];
        printf("  %12s  %10s  %12s  %s\n", number_text(it->live),
               number_text(it->blocks), number_text(it->live - it->requested),
               by_site ? stack_text(stack, sizeof stack, from->sites[it->site])
                       : number_text(it->size));
    }
}

json_t *costs_json(const trace *from, const cost *costs, size_t count,
                   size_t most)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count && i < most; i++) {
        const cost *it = &costs[i];
        json_t *one = json_pack("{sI sI sI}", "live", (json_int_t)it->live,
                                "requested", (json_int_t)it->requested,
                                "blocks", (json_int_t)it->blocks);
        if (from->site_count > 1) {
            json_object_set_new(one, "site", text_json(from->sites[it->site]));
        } else {
            json_object_set_new(one, "size",
                                json_integer((json_int_t)it->size));
        }
        json_array_append_new(all, one);
    }
    return all;
}
