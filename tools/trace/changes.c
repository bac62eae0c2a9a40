#include "changes.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

/* Call stacks without lines, by the traces' numbers. */
typedef struct functions {
    char **of;
    size_t count;
} functions;

static void forget(functions *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->of[i]);
    free(all->of);
}

static bool learn(functions *all, const trace *from)
{
    *all = (functions){.of = calloc(from->site_count + 1, sizeof *all->of)};
    while (all->of != NULL && all->count < from->site_count) {
        char *copy = strdup(from->sites[all->count]);
        if (copy == NULL)
            return false;
        text_drop_lines(copy);
        all->of[all->count++] = copy;
    }
    return all->of != NULL;
}

/* A change that knows its group's name. */
typedef struct named {
    change it;
    const char *name; /* "" if it is by size */
} named;

static int by_name(const void *left, const void *right)
{
    const named *a = left;
    const named *b = right;
    int names = strcmp(a->name, b->name);
    return names != 0 ? names
                      : (a->it.size > b->it.size) - (a->it.size < b->it.size);
}

static int most_growth_first(const void *left, const void *right)
{
    const change *a = left;
    const change *b = right;
    if (change_of(a) != change_of(b))
        return change_of(a) > change_of(b) ? -1 : 1;
    if (a->site != NULL && strcmp(a->site, b->site) != 0)
        return strcmp(a->site, b->site);
    return (a->size > b->size) - (a->size < b->size);
}

static void add_cost(cost *to, const cost *more)
{
    to->blocks += more->blocks;
    to->requested += more->requested;
    to->live += more->live;
}

/* Adds up what has one name; returns how many are left. The later trace's call
 * stack is the one to show. */
static size_t merge(named *all, size_t count)
{
    size_t kept = 0;
    qsort(all, count, sizeof *all, by_name);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || by_name(&all[kept - 1], &all[i]) != 0) {
            all[kept++] = all[i];
            continue;
        }
        change *into = &all[kept - 1].it;
        if (into->after.blocks == 0)
            into->site = all[i].it.site;
        add_cost(&into->before, &all[i].it.before);
        add_cost(&into->after, &all[i].it.after);
    }
    return kept;
}

typedef struct side {
    const trace *from;
    functions names;
    cost *costs;
    size_t count;
} side;

static bool weigh(side *of, const trace_moment *at, bool by_site,
                  size_t granule)
{
    *of = (side){.from = at->from};
    of->costs = costs_at(at->from, at->events, by_site, granule, &of->count);
    return of->costs != NULL && (!by_site || learn(&of->names, at->from));
}

static void take(named *into, const side *of, bool by_site, bool after)
{
    for (size_t i = 0; i < of->count; i++) {
        const cost *each = &of->costs[i];
        cost bare = {.blocks = each->blocks,
                     .requested = each->requested,
                     .live = each->live};
        into[i] = (named){
            .name = by_site ? of->names.of[each->site] : "",
            .it = {.size = each->size,
                   .site = by_site ? of->from->sites[each->site] : NULL}};
        *(after ? &into[i].it.after : &into[i].it.before) = bare;
    }
}

static change *join(const side *before, const side *after, bool by_site,
                    size_t *count)
{
    size_t all = before->count + after->count;
    named *names = calloc(all + 1, sizeof *names);
    change *changes = calloc(all + 1, sizeof *changes);
    if (names != NULL && changes != NULL) {
        take(names, before, by_site, false);
        take(names + before->count, after, by_site, true);
        *count = merge(names, all);
        for (size_t i = 0; i < *count; i++)
            changes[i] = names[i].it;
        qsort(changes, *count, sizeof *changes, most_growth_first);
    } else {
        free(changes);
        changes = NULL;
    }
    free(names);
    return changes;
}

static void release(side *of)
{
    forget(&of->names);
    free(of->costs);
}

change *changes_between(const trace_moment *before, const trace_moment *after,
                        bool by_site, size_t granule, size_t *count)
{
    side old;
    side new = {.from = NULL};
    change *changes = NULL;
    if (weigh(&old, before, by_site, granule) &&
        weigh(&new, after, by_site, granule))
        changes = join(&old, &new, by_site, count);
    release(&old);
    release(&new);
    return changes;
}
