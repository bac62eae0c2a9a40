#include "fold.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Names without parameters; '*' at the end stands for anything. */

static const char starts[] =
    "_start,__libc_start_main*,__libc_start_call_main,clone,clone3,"
    "start_thread,__clone,__clone3,_dl_start_user";

static const char wrappers[] =
    "operator new,operator new[],std::allocator*,std::allocator_traits*,"
    "std::__new_allocator*,__gnu_cxx::new_allocator*,std::__allocate_guarded*,"
    "__gnu_cxx::__alloc_traits*,xmalloc,xcalloc,xrealloc,xstrdup,xmemdup,"
    "xnmalloc,xmallocarray,xreallocarray,x2realloc,x2nrealloc,xzalloc,"
    "g_malloc*,g_realloc*,g_try_malloc*,g_slice_alloc*,g_strdup,"
    "PyMem_Malloc,PyMem_Calloc,PyMem_Realloc,PyMem_RawMalloc,PyMem_RawCalloc,"
    "PyMem_RawRealloc,PyObject_Malloc,PyObject_Calloc,PyObject_Realloc,"
    "_PyObject_Malloc,_PyObject_Calloc,_PyObject_Realloc,_PyMem_RawMalloc,"
    "_PyMem_RawCalloc,_PyMem_RawRealloc,_PyMem_Debug*,"
    "Perl_safesysmalloc,Perl_safesyscalloc,Perl_safesysrealloc,"
    "sqlite3MemMalloc,sqlite3MemRealloc,sqlite3Malloc,sqlite3Realloc,"
    "sqlite3_malloc*,sqlite3_realloc*,sqlite3DbMalloc*,l_alloc,luaM_*,"
    "jv_mem_alloc,jv_mem_calloc,jv_mem_realloc,CRYPTO_malloc,CRYPTO_zalloc,"
    "CRYPTO_realloc,strdup,__strdup,strndup,__strndup,_emalloc*,_erealloc*,"
    "__zend_malloc,__zend_realloc,objspace_xmalloc*,ruby_xmalloc*,"
    "ruby_xrealloc*,ruby_xcalloc*,malloc,calloc,realloc,reallocarray";

/* The name's part that is compared: no place in a file, no parameters. */
static size_t name_length(const char *frame, size_t length)
{
    size_t depth = 0;
    for (size_t i = 0; i < length; i++) {
        depth += frame[i] == '<';
        depth -= frame[i] == '>' && depth > 0;
        if (frame[i] == '(' && depth == 0)
            return i > 0 && frame[i - 1] == ' ' ? i - 1 : i;
    }
    return length;
}

static bool is_listed(const char *list, const char *frame, size_t length)
{
    length = name_length(frame, length);
    for (const char *at = list; at != NULL;) {
        size_t size = strcspn(at, ",");
        bool open = size > 0 && at[size - 1] == '*';
        size_t wanted = size - open;
        if (size > 0 && (open ? wanted <= length : wanted == length) &&
            memcmp(at, frame, wanted) == 0)
            return true;
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return false;
}

static bool is_wrapper(const char *frame, size_t length, const char *more)
{
    return is_listed(wrappers, frame, length) || is_listed(more, frame, length);
}

/* The last frame in a text of this length. */
static const char *last_frame(const char *text, size_t length)
{
    const char *at = text + length;
    while (at > text && at[-1] != ';')
        at--;
    return at;
}

/* What follows how the program or the thread starts. In front of it may stand a
 * frame of a program without symbols: its _start. */
static const char *behind_start(const char *stack)
{
    enum { START_MAX = 5 }; /* frames */
    const char *first = stack;
    const char *at = stack;
    for (int i = 0; i < START_MAX; i++) {
        size_t size = strcspn(at, ";");
        if (at[size] == '\0')
            break;
        bool starts_it = is_listed(starts, at, size);
        at += size + 1;
        first = starts_it ? at : first;
    }
    return first;
}

void fold_frames(char *stack, const char *more)
{
    const char *first = behind_start(stack);
    size_t length = strlen(first);
    for (const char *last;
         last = last_frame(first, length),
         last > first &&
             is_wrapper(last, (size_t)(first + length - last), more);)
        length = (size_t)(last - first) - 1;
    memmove(stack, first, length);
    stack[length] = '\0';
}
