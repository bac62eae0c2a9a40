/* The allocators of one run: those built in and those named on the command
 * line. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "peer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEERS_MAX = 32 };

typedef struct peer_list {
    const bench_peer *at[PEERS_MAX];
    size_t count;
} peer_list;

/* Adds the built-in peers whose names stand in the comma-separated list (NULL
 * or "all": every one; "none": none). Returns NULL or the name that is unknown.
 */
const char *peers_add_builtin(peer_list *list, const char *names);

/* Adds the peer of a shared object. Returns NULL or what went wrong. */
const char *peers_add_shared(peer_list *list, const char *path);

/* NULL if there is none of this name. */
const bench_peer *peers_find(const peer_list *list, const char *name);

const bench_peer *peer_bitfit(void);
const bench_peer *peer_bitfit_8(void);
const bench_peer *peer_empty(void);
const bench_peer *peer_libc(void);
const bench_peer *peer_boost_rbtree(void);
const bench_peer *peer_boost_seq(void);
const bench_peer *peer_pmr(void);

#ifdef __cplusplus
}
#endif

#endif
