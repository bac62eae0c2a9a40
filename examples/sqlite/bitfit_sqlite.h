/*
 * SQLite in one fixed pool.
 *
 * Copy this file and bitfit_sqlite.c into your program:
 *
 *     bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
 *     bitfit_sqlite_install(pool);
 *     sqlite3_open(":memory:", &db);
 *     ...
 *     sqlite3_close(db);
 *     bitfit_sqlite_uninstall();
 *     bitfit_destroy(pool);
 *
 * When the pool is full, SQLite returns SQLITE_NOMEM. It can go on working.
 */
#ifndef BITFIT_SQLITE_H
#define BITFIT_SQLITE_H

#include "bitfit.h"

/*
 * Shuts SQLite down and gives it the pool: from now on all its memory comes
 * from there. Close every connection first. Returns SQLITE_OK, or the error of
 * the SQLite call that failed.
 *
 * SQLite's memory hooks get no context, so it uses one pool at a time.
 */
int bitfit_sqlite_install(bitfit_pool *pool);

/* Shuts SQLite down and gives it back its own allocator. */
int bitfit_sqlite_uninstall(void);

#endif
