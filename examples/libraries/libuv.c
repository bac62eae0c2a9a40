/*
 * libuv in a pool: one allocator for the process, set before the first use.
 *
 * - The four functions get no context, so the pool is a global.
 * - libuv's threads allocate, too. The pool needs a lock, as it has by default.
 * - A request that finds no memory fails at once with UV_ENOMEM. Its callback
 * is not called.
 * - uv_library_shutdown() gives back what the library keeps.
 */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "in_pool.h"

enum { REQUESTS = 500 };

static int answers;

static void on_status(uv_fs_t *request)
{
    answers += request->result == 0;
    uv_fs_req_cleanup(request);
}

/* Starts all at once. Until it is done, each request keeps a copy of its path.
 */
static int ask(uv_loop_t *loop)
{
    static uv_fs_t requests[REQUESTS];
    char path[512];
    int error = 0;
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    for (int i = 0; i < REQUESTS && error == 0; i++) {
        error = uv_fs_stat(loop, &requests[i], path, on_status);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    return error;
}

static const char *work(bitfit_pool *pool)
{
    uv_loop_t loop;
    (void)pool;
    uv_replace_allocator(in_pool_malloc, in_pool_realloc, in_pool_calloc,
                         in_pool_free);
    int error = uv_loop_init(&loop);
    if (error == 0) {
        error = ask(&loop);
        uv_loop_close(&loop);
    }
    uv_library_shutdown();
    if (error != 0) {
        return uv_err_name(error);
    }
    return answers == REQUESTS ? NULL : "wrong number of answers";
}

int main(void)
{
    const in_pool_example example = {
        .name = "libuv",
        .work = work,
        .enough = 1 << 20,
        .too_small = 64 << 10,
        .complaint = "ENOMEM",
    };
    return in_pool_run(&example);
}
