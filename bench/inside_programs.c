/* SQLite, Lua and Zstandard, each with all its memory from one allocator. */
#include "inside.h"

#include "../examples/sqlite/workload.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* --------------------------------------------------------------- resizing */

/* `held`: the bytes to keep where the peer cannot resize. */
static void *resize(const inside_heap *in, void *ptr, size_t held, size_t size)
{
    if (in->peer->realloc != NULL) {
        return in->peer->realloc(in->heap, ptr, size);
    }
    void *moved = in->peer->alloc(in->heap, size);
    if (moved != NULL) {
        memcpy(moved, ptr, held < size ? held : size);
        in->peer->free(in->heap, ptr);
    }
    return moved;
}

/* ----------------------------------------------------------------- SQLite */

enum { READINGS = 20000 };

/* SQLite asks for the size of each block, and not every peer can tell it. So
 * all keep it in front of the block, as SQLite's own hooks do. */
typedef struct sized {
    int64_t size;
    unsigned char bytes[];
} sized;

static const inside_heap *sqlite_heap; /* the hooks get no context */

static sized *sized_of(void *bytes)
{
    return (sized *)(void *)((unsigned char *)bytes - offsetof(sized, bytes));
}

static void *sqlite_take(int size)
{
    sized *block = sqlite_heap->peer->alloc(sqlite_heap->heap,
                                            sizeof *block + (size_t)size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    return block->bytes;
}

static void sqlite_give(void *bytes)
{
    sqlite_heap->peer->free(sqlite_heap->heap, sized_of(bytes));
}

static void *sqlite_resize(void *bytes, int size)
{
    sized *block = sized_of(bytes);
    block = resize(sqlite_heap, block, sizeof *block + (size_t)block->size,
                   sizeof *block + (size_t)size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    return block->bytes;
}

static int sqlite_size(void *bytes)
{
    return (int)sized_of(bytes)->size;
}

static int sqlite_roundup(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_init(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void sqlite_shutdown(void *context)
{
    (void)context;
}

static uint64_t run_sqlite(const inside_heap *in, int times)
{
    static const sqlite3_mem_methods methods = {
        sqlite_take,    sqlite_give, sqlite_resize,   sqlite_size,
        sqlite_roundup, sqlite_init, sqlite_shutdown, NULL,
    };
    uint64_t digest = 0;
    sqlite_heap = in;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) {
        return 0;
    }
    for (int i = 0; i < times; i++) {
        workload_result result = workload_run(READINGS, NULL, NULL);
        if (result.rc != SQLITE_OK) {
            return 0;
        }
        digest = result.digest;
    }
    return sqlite3_shutdown() == SQLITE_OK ? digest : 0;
}

/* -------------------------------------------------------------------- Lua */

/* Strings, tables and closures that live for different times. Its result does
 * not depend on the order in which a table is walked. */
static const char lua_script[] =
    "local seed, sum = 7, 0\n"
    "local function random(n)\n"
    "    seed = (seed * 1103515245 + 12345) % 2147483648\n"
    "    return seed // 65536 % n + 1\n"
    "end\n"
    "local kept = {}\n"
    "for i = 1, 60000 do\n"
    "    local words = {}\n"
    "    for j = 1, random(6) do\n"
    "        words[j] = string.rep(string.char(96 + random(26)), random(40))\n"
    "    end\n"
    "    local text = table.concat(words, ' ')\n"
    "    kept[random(4000)] = {text = text, of = words,\n"
    "                          say = function() return #text end}\n"
    "    if i % 50 == 0 then\n"
    "        kept[random(4000)] = nil\n"
    "    end\n"
    "end\n"
    "for _, entry in pairs(kept) do\n"
    "    sum = sum + entry.say() * #entry.of\n"
    "end\n"
    "return sum\n";

static void *lua_allocate(void *context, void *ptr, size_t old, size_t size)
{
    const inside_heap *in = context;
    if (ptr == NULL) {
        return size == 0 ? NULL : in->peer->alloc(in->heap, size);
    }
    if (size == 0) {
        in->peer->free(in->heap, ptr);
        return NULL;
    }
    return resize(in, ptr, old, size);
}

static int lua_work(lua_State *lua)
{
    luaL_openlibs(lua);
    if (luaL_loadstring(lua, lua_script) != LUA_OK) {
        return lua_error(lua);
    }
    lua_call(lua, 0, 1);
    return 1;
}

static uint64_t run_lua(const inside_heap *in, int times)
{
    uint64_t digest = 0;
    for (int i = 0; i < times; i++) {
        lua_State *lua = lua_newstate(lua_allocate, (void *)(uintptr_t)in);
        if (lua == NULL) {
            return 0;
        }
        lua_pushcfunction(lua, lua_work);
        bool good = lua_pcall(lua, 0, 1, 0) == LUA_OK;
        digest = good ? (uint64_t)lua_tointeger(lua, -1) : 0;
        lua_close(lua);
        if (!good) {
            return 0;
        }
    }
    return digest;
}

/* -------------------------------------------------------------- Zstandard */

enum { TEXT_SIZE = 256 << 10, TEXTS = 8 };

static void write_text(unsigned char *text, unsigned random)
{
    for (size_t i = 0; i < TEXT_SIZE; i++) {
        random = random * 1103515245U + 12345U;
        text[i] = (unsigned char)("etaoin shrdlu"[(random >> 16) % 13]);
    }
}

static void *zstd_take(void *context, size_t size)
{
    const inside_heap *in = context;
    return in->peer->alloc(in->heap, size);
}

static void zstd_give(void *context, void *ptr)
{
    const inside_heap *in = context;
    if (ptr != NULL) {
        in->peer->free(in->heap, ptr);
    }
}

/* Packed size, or 0. A context for each text, as a server has one for each
 * request. */
static size_t there_and_back(ZSTD_customMem memory, const unsigned char *text)
{
    static unsigned char packed[ZSTD_COMPRESSBOUND(TEXT_SIZE)];
    static unsigned char unpacked[TEXT_SIZE];
    ZSTD_CCtx *to = ZSTD_createCCtx_advanced(memory);
    ZSTD_DCtx *from = ZSTD_createDCtx_advanced(memory);
    size_t size = 0;
    size_t back = 0;
    if (to != NULL && from != NULL) {
        size = ZSTD_compressCCtx(to, packed, sizeof packed, text, TEXT_SIZE, 3);
        back =
            ZSTD_isError(size)
                ? 0
                : ZSTD_decompressDCtx(from, unpacked, TEXT_SIZE, packed, size);
    }
    ZSTD_freeCCtx(to);
    ZSTD_freeDCtx(from);
    bool same = back == TEXT_SIZE && memcmp(text, unpacked, TEXT_SIZE) == 0;
    return same ? size : 0;
}

static uint64_t run_zstd(const inside_heap *in, int times)
{
    static unsigned char text[TEXT_SIZE];
    const ZSTD_customMem memory = {zstd_take, zstd_give, (void *)(uintptr_t)in};
    uint64_t digest = 0;
    for (int i = 0; i < times * TEXTS; i++) {
        write_text(text, (unsigned)(i % TEXTS));
        size_t size = there_and_back(memory, text);
        if (size == 0) {
            return 0;
        }
        digest = digest * 31 + size;
    }
    return digest;
}

const inside_program *inside_programs(void)
{
    static const inside_program programs[] = {
        {"SQLite", SQLITE_VERSION,
         "fill, index, change and query a database of 20,000 rows", 64 << 20,
         run_sqlite},
        {"Lua", LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE,
         "strings, tables and closures of mixed lifetimes", 32 << 20, run_lua},
        {"zstd", ZSTD_VERSION_STRING,
         "pack and unpack 8 texts of 256 KiB, a context for each", 32 << 20,
         run_zstd},
    };
    _Static_assert(LENGTH(programs) == INSIDE_PROGRAMS, "one row a program");
    return programs;
}
