/*
 * CPython in a pool: three domains, set before the interpreter is initialized.
 *
 * - Raw memory, memory and objects each have an allocator. The first is used
 *   without the interpreter's lock, so the pool needs its own, as by default.
 * - A size of 0 must get a block. In a pool it does.
 * - Setting the object domain replaces pymalloc: the pool sees every object.
 * - Some blocks stay after Py_FinalizeEx(). Drop the whole pool then.
 * - Scripts get MemoryError. With too little memory to start, initialization
 *   fails with a status or, sometimes, with a fatal error.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "in_pool.h"

static const char script[] =
    "import json\n"
    "table = {str(i): list(range(i % 50)) for i in range(5000)}\n"
    "text = json.dumps(table)\n"
    "assert json.loads(text) == table\n";

static void *allocate(void *pool, size_t size)
{
    return bitfit_alloc(pool, size);
}

static void *allocate_zeroed(void *pool, size_t count, size_t size)
{
    return bitfit_calloc(pool, count, size);
}

static void *resize(void *pool, void *ptr, size_t size)
{
    return bitfit_realloc(pool, ptr, size);
}

static void release(void *pool, void *ptr)
{
    bitfit_free(pool, ptr);
}

static bool start(void)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return !PyStatus_Exception(status);
}

static const char *run_script(void)
{
    PyObject *names = PyDict_New();
    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
    PyObject *result = PyRun_String(script, Py_file_input, names, names);
    const char *error = NULL;
    if (result == NULL) {
        bool memory = PyErr_ExceptionMatches(PyExc_MemoryError);
        error = memory ? "MemoryError" : "another exception";
        PyErr_Clear();
    }
    Py_XDECREF(result);
    Py_DECREF(names);
    return error;
}

static const char *work(bitfit_pool *pool)
{
    PyMemAllocatorEx in_pool = {
        pool, allocate, allocate_zeroed, resize, release,
    };
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &in_pool);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &in_pool);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &in_pool);
    if (!start()) {
        return "no interpreter";
    }
    const char *error = run_script();
    Py_FinalizeEx();
    return error;
}

int main(void)
{
    const in_pool_example example = {
        .name = "Python " PY_VERSION,
        .work = work,
        .enough = 32 << 20,
        .too_small = 4 << 20,
        .complaint = "MemoryError",
        .keeps_blocks = true,
    };
    return in_pool_run(&example);
}
