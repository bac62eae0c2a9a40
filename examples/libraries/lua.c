/*
 * Lua in a pool: each lua_State gets its allocator when it is created.
 *
 * - The hook gets the old size. For a new block this is not a size but the kind
 *   of object, so do not pass it on.
 * - A shrink must not fail. In a pool it never does.
 * - An error outside a protected call ends the program, and lack of memory is
 *   such an error. So everything that allocates runs inside lua_pcall(), even
 *   opening the libraries.
 */
#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "in_pool.h"

static const char script[] = "local words, length = {}, 0\n"
                             "for i = 1, 5000 do\n"
                             "    words['word ' .. i] = {i, tostring(i * i)}\n"
                             "end\n"
                             "for word, pair in pairs(words) do\n"
                             "    length = length + #word + #pair[2]\n"
                             "end\n"
                             "assert(length == 79274, length)\n";

static void *allocate(void *pool, void *ptr, size_t old_size, size_t size)
{
    (void)old_size;
    if (size == 0) {
        bitfit_free(pool, ptr);
        return NULL;
    }
    return bitfit_realloc(pool, ptr, size);
}

static int run_script(lua_State *lua)
{
    luaL_openlibs(lua);
    if (luaL_loadstring(lua, script) != LUA_OK) {
        return lua_error(lua);
    }
    lua_call(lua, 0, 0);
    return 0;
}

static const char *work(bitfit_pool *pool)
{
    static char error[200];
    lua_State *lua = lua_newstate(allocate, pool);
    if (lua == NULL) {
        return "no state";
    }
    lua_pushcfunction(lua, run_script);
    bool good = lua_pcall(lua, 0, 0, 0) == LUA_OK;
    if (!good) {
        /* The message dies with the state. */
        snprintf(error, sizeof error, "%s", lua_tostring(lua, -1));
    }
    lua_close(lua);
    return good ? NULL : error;
}

int main(void)
{
    const in_pool_example example = {
        .name = LUA_RELEASE,
        .work = work,
        .enough = 4 << 20,
        .too_small = 100 << 10,
        .complaint = "not enough memory",
    };
    return in_pool_run(&example);
}
