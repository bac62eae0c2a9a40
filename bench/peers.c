#include "peers.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

typedef const bench_peer *peer_entry(void);

static peer_entry *const builtin[] = {
    peer_bitfit,       peer_bitfit_8,  peer_empty, peer_libc,
    peer_boost_rbtree, peer_boost_seq, peer_pmr,
};

enum { BUILTIN_COUNT = sizeof builtin / sizeof *builtin };

static bool is_named(const char *names, const char *name, size_t length)
{
    size_t at = 0;

    while (names[at] != '\0') {
        size_t end = at + strcspn(names + at, ",");

        if (end - at == length && strncmp(names + at, name, length) == 0) {
            return true;
        }
        at = names[end] == ',' ? end + 1 : end;
    }
    return false;
}

static void add(peer_list *list, const bench_peer *peer)
{
    if (list->count < PEERS_MAX) {
        list->at[list->count++] = peer;
    }
}

static const char *unknown_name(const char *names)
{
    size_t at = 0;

    while (names[at] != '\0') {
        size_t length = strcspn(names + at, ",");
        bool known = false;

        for (size_t i = 0; i < BUILTIN_COUNT; i++) {
            const char *name = builtin[i]()->name;

            known = known || (strlen(name) == length &&
                              strncmp(name, names + at, length) == 0);
        }
        if (!known) {
            return names + at;
        }
        at += names[at + length] == ',' ? length + 1 : length;
    }
    return NULL;
}

const char *peers_add_builtin(peer_list *list, const char *names)
{
    bool all = names == NULL || strcmp(names, "all") == 0;

    if (!all && strcmp(names, "none") == 0) {
        return NULL;
    }
    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        const bench_peer *peer = builtin[i]();

        if (all || is_named(names, peer->name, strlen(peer->name))) {
            add(list, peer);
        }
    }
    return all ? NULL : unknown_name(names);
}

const char *peers_add_shared(peer_list *list, const char *path)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    peer_entry *entry = NULL;
    void *symbol = NULL;

    if (object == NULL) {
        return dlerror();
    }
    symbol = dlsym(object, "bench_peer_entry");
    if (symbol == NULL) {
        return "it has no bench_peer_entry()";
    }
    memcpy(&entry, &symbol, sizeof entry);
    if (entry()->interface_version != BENCH_PEER_INTERFACE) {
        return "it was built for another version of bench/peer.h";
    }
    add(list, entry());
    return NULL;
}

const bench_peer *peers_find(const peer_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i]->name, name) == 0) {
            return list->at[i];
        }
    }
    return NULL;
}
