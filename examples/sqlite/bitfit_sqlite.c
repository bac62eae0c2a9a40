/* The seven hooks of SQLITE_CONFIG_MALLOC over a bitfit pool. */
#include "bitfit_sqlite.h"

#include <limits.h>

#include <sqlite3.h>

/* Set by hook_init(), since the hooks below get no context. */
static bitfit_pool *sqlite_pool;

/* SQLite's own methods. While those are in use, xMalloc is NULL here. */
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

/* SQLite calls this before each free and realloc, and fills blocks up to it, so
 * it must be the usable size. No block is larger than INT_MAX, since no request
 * was; see hook_roundup(). */
static int hook_size(void *ptr)
{
    return (int)bitfit_usable_size(sqlite_pool, ptr);
}

/* SQLite passes the result on to hook_malloc(). So a size that fits nowhere
 * must stay as it is, and fail there: the 0 of bitfit_good_size() would get a
 * block of one granule. */
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
