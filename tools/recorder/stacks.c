#include "stacks.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

static char program[PATH_MAX];
static struct dl_find_object own; /* this library */

void stacks_init(void)
{
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    _dl_find_object((void *)(uintptr_t)stacks_init, &own);
}

static bool is_own(uintptr_t address)
{
    return address >= (uintptr_t)own.dlfo_map_start &&
           address < (uintptr_t)own.dlfo_map_end;
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context,
                                     void *argument)
{
    call_stack *stack = argument;
    int is_exact = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
    if (address == 0 || stack->count == STACK_FRAMES_MAX)
        return _URC_END_OF_STACK;
    if (stack->count == 0 && is_own(address))
        return _URC_NO_REASON;
    stack->frames[stack->count++] = is_exact ? address : address - 1;
    return _URC_NO_REASON;
}

void stack_walk(call_stack *stack)
{
    stack->count = 0;
    _Unwind_Backtrace(add_frame, stack);
}

uint64_t stack_hash(const call_stack *stack)
{
    uint64_t hash = 0x9E3779B97F4A7C15u + stack->count;
    for (size_t i = 0; i < stack->count; i++) {
        hash = (hash ^ stack->frames[i]) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
    }
    return hash;
}

static size_t put_hex(char *to, uintptr_t value)
{
    char digits[2 * sizeof value];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    for (size_t i = 0; i < count; i++)
        to[i] = digits[count - 1 - i];
    return count;
}

/* The file that holds an address; _dl_find_object() takes no lock, so that a
 * thread in dlopen() may allocate. */
static const char *file_of(uintptr_t *address)
{
    struct dl_find_object found;
    if (_dl_find_object((void *)*address, &found) != 0)
        return "";
    const char *name = found.dlfo_link_map->l_name;
    *address -= found.dlfo_link_map->l_addr;
    return *name == '\0' ? program : name;
}

/* Returns the length; 0 if there is no room. */
static size_t put_frame(uintptr_t address, char *text, size_t room)
{
    const char *name = file_of(&address);
    size_t length = strlen(name);
    if (length + 4 + 2 * sizeof address > room)
        return 0;
    memcpy(text, name, length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ';')
            text[i] = '_';
    }
    memcpy(text + length, "+0x", 3);
    return length + 3 + put_hex(text + length + 3, address);
}

size_t stack_text(const call_stack *stack, char text[static STACK_TEXT_MAX])
{
    size_t size = 0;
    for (size_t i = stack->count; i > 0; i--) {
        size_t part = put_frame(stack->frames[i - 1], text + size,
                                STACK_TEXT_MAX - size - 1);
        if (part == 0)
            break;
        size += part;
        if (i > 1)
            text[size++] = ';';
    }
    return size > 0 && text[size - 1] == ';' ? size - 1 : size;
}
