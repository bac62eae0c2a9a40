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
 * When the pool is full SQLite answers SQLITE_NOMEM, and goes on working.
 */
#ifndef BITFIT_SQLITE_H
#define BITFIT_SQLITE_H

#include "bitfit.h"

/*
 * Shuts SQLite down and puts it on `pool`: from here on all that it allocates
 * comes from there. Every connection must be closed before. Returns SQLITE_OK,
 * or the error of the SQLite call that refused.
 *
 * SQLite hands its memory hooks no context, so it lives in one pool at a time.
 */
int bitfit_sqlite_install(bitfit_pool *pool);

/* Shuts SQLite down and puts it back on the allocator it had before. */
int bitfit_sqlite_uninstall(void);

#endif
