/* The seven hooks of SQLITE_CONFIG_MALLOC over a bitfit pool. */
#include "bitfit_sqlite.h"

#include <limits.h>

#include <sqlite3.h>

/* Set by hook_init(): the hooks below are given no context. */
static bitfit_pool *sqlite_pool;

/* SQLite's own methods; xMalloc is null while they are in place. */
static sqlite3_mem_methods before;

static void *hook_malloc(int size)
{
    return bitfit_alloc(sqlite_pool, (size_t)size);
}

static void hook_free(void *ptr)
{
    bitfit_free(sqlite_pool, ptr);
}

static void *hook_realloc(void *ptr, int size)
{
    return bitfit_realloc(sqlite_pool, ptr, (size_t)size);
}

/* SQLite asks for this before each free and realloc, and fills blocks up to
 * it: it must be the usable size. No block is above INT_MAX, since none was
 * asked for above it; see hook_roundup(). */
static int hook_size(void *ptr)
{
    return (int)bitfit_usable_size(sqlite_pool, ptr);
}

/* SQLite asks hook_malloc() for what this returns. So a size that fits nowhere
 * must stay as it is, to be refused there: the 0 of bitfit_good_size() would
 * get a block of one granule. */
static int hook_roundup(int size)
{
    size_t good = bitfit_good_size(sqlite_pool, (size_t)size);
    return good == 0 || good > INT_MAX ? size : (int)good;
}

static int hook_init(void *pool)
{
    sqlite_pool = pool;
    return SQLITE_OK;
}

static void hook_shutdown(void *pool)
{
    (void)pool;
    sqlite_pool = NULL;
}

int bitfit_sqlite_install(bitfit_pool *pool)
{
    const sqlite3_mem_methods methods = {
        hook_malloc,  hook_free, hook_realloc,  hook_size,
        hook_roundup, hook_init, hook_shutdown, pool,
    };
    int rc = bitfit_sqlite_uninstall();
    if (rc == SQLITE_OK) {
        rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &before);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    }
    return rc;
}

int bitfit_sqlite_uninstall(void)
{
    int rc = sqlite3_shutdown();
    if (rc == SQLITE_OK && before.xMalloc != NULL) {
        rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &before);
        before.xMalloc = NULL;
    }
    return rc;
}
