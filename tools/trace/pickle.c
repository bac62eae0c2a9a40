#include "pickle.h"

#include <stdlib.h>
#include <string.h>

enum { PROTOCOL = 0x80, PROTOCOL_MIN = 2, PROTOCOL_MAX = 5, KEYS = 32 };

static bool refuse(pickle *from, const char *why)
{
    if (from->wrong == NULL)
        from->wrong = why;
    return false;
}

static bool no_memory(pickle *from)
{
    return refuse(from, "there is not enough memory to read it");
}

/* -------------------------------------------------------------------- bytes */

/* A number of so many bytes, the lowest first. */
static bool take_bytes(pickle *from, unsigned count, uint64_t *number)
{
    if ((size_t)(from->end - from->next) < count)
        return refuse(from, "it is cut off");
    *number = 0;
    for (unsigned i = 0; i < count; i++)
        *number |= (uint64_t)(unsigned char)from->next[i] << 8 * (i % 8);
    from->next += count;
    return true;
}

/* -------------------------------------------------------------------- stack */

static bool push(pickle *from, uint32_t value)
{
    if (!build_grow(from->to, &from->stack, &from->stack_room, from->depth,
                    sizeof *from->stack))
        return no_memory(from);
    from->stack[from->depth++] = value;
    return true;
}

static bool add(pickle *from, const pickle_value *value)
{
    if (from->value_count >= UINT32_MAX ||
        !build_grow(from->to, &from->values, &from->value_room,
                    from->value_count, sizeof *from->values))
        return no_memory(from);
    from->values[from->value_count++] = *value;
    return push(from, (uint32_t)(from->value_count - 1));
}

static bool add_number(pickle *from, uint64_t number)
{
    return add(from, &(pickle_value){.kind = PICKLE_NUMBER, .number = number});
}

static bool add_kind(pickle *from, unsigned kind)
{
    return add(from, &(pickle_value){.kind = (uint8_t)kind});
}

/* The depth just above the last mark. */
static bool find_mark(pickle *from, size_t *above)
{
    for (size_t i = from->depth; i > 0; i--) {
        if (from->values[from->stack[i - 1]].kind == PICKLE_MARK) {
            *above = i;
            return true;
        }
    }
    return refuse(from, "it is damaged: a mark is missing");
}

/* Appends what lies above `above` to the list or dict below it. */
static bool append(pickle *from, size_t above, size_t below, unsigned kind)
{
    pickle_value *list =
        below == 0 ? NULL : &from->values[from->stack[below - 1]];
    if (list == NULL || list->kind != kind ||
        (kind == PICKLE_DICT && (from->depth - above) % 2 != 0))
        return refuse(from, "it is damaged: there is nothing to append to");
    for (size_t i = above; i < from->depth; i++) {
        if (from->cell_count >= UINT32_MAX ||
            !build_grow(from->to, &from->cells, &from->cell_room,
                        from->cell_count, sizeof *from->cells))
            return no_memory(from);
        uint32_t cell = (uint32_t)from->cell_count++;
        from->cells[cell] = (pickle_cell){.value = from->stack[i]};
        if (list->first == 0)
            list->first = cell;
        else
            from->cells[list->last].next = cell;
        list->last = cell;
    }
    from->depth = below;
    return true;
}

/* A new list of what lies above `above`; what lies above `below` goes. */
static bool collect(pickle *from, size_t above, size_t below, unsigned kind)
{
    size_t count = from->depth - above;
    if (!add_kind(from, kind)) /* it lies on top, and belongs below */
        return false;
    uint32_t made = from->stack[--from->depth];
    if (!push(from, 0))
        return false;
    memmove(from->stack + above + 1, from->stack + above,
            count * sizeof *from->stack);
    from->stack[above] = made;
    if (!append(from, above + 1, above + 1, kind))
        return false;
    from->stack[below] = made;
    from->depth = below + 1;
    return true;
}

/* ---------------------------------------------------------------- operations
 */

static bool text(pickle *from, unsigned length_bytes)
{
    uint64_t length;
    if (!take_bytes(from, length_bytes, &length))
        return false;
    if (length > (uint64_t)(from->end - from->next))
        return refuse(from, "it is cut off");
    from->next += length;
    return add(from, &(pickle_value){.kind = PICKLE_TEXT,
                                     .text = from->next - length,
                                     .number = length});
}

/* Of an integer of any length; what is longer than 8 bytes is of no use. */
static bool long_number(pickle *from, unsigned length_bytes)
{
    uint64_t length;
    uint64_t number;
    if (!take_bytes(from, length_bytes, &length))
        return false;
    if (length > (uint64_t)(from->end - from->next))
        return refuse(from, "it is cut off");
    unsigned used = length < 8 ? (unsigned)length : 8;
    bool taken = take_bytes(from, used, &number);
    from->next += length - used;
    return taken && add_number(from, number);
}

static bool number(pickle *from, unsigned bytes)
{
    uint64_t value;
    return take_bytes(from, bytes, &value) && add_number(from, value);
}

/* The stack's top gets a number, the next one or one that it had. */
static bool memoize(pickle *from, uint64_t index)
{
    if (from->depth == 0 || index > from->memo_count)
        return refuse(from, "it is damaged: it remembers nothing");
    if (!build_grow(from->to, &from->memo, &from->memo_room, from->memo_count,
                    sizeof *from->memo))
        return no_memory(from);
    from->memo[index] = from->stack[from->depth - 1];
    from->memo_count += index == from->memo_count;
    return true;
}

static bool put_memo(pickle *from, unsigned bytes)
{
    uint64_t index;
    return take_bytes(from, bytes, &index) && memoize(from, index);
}

static bool get_memo(pickle *from, unsigned bytes)
{
    uint64_t index;
    if (!take_bytes(from, bytes, &index))
        return false;
    return index < from->memo_count
               ? push(from, from->memo[index])
               : refuse(from, "it is damaged: it remembers nothing");
}

static bool append_marked(pickle *from, unsigned kind)
{
    size_t above;
    return find_mark(from, &above) && append(from, above, above - 1, kind);
}

/* To a list one value, to a dict two. */
static bool append_last(pickle *from, unsigned kind)
{
    size_t count = kind == PICKLE_DICT ? 2 : 1;
    return from->depth > count
               ? append(from, from->depth - count, from->depth - count, kind)
               : refuse(from, "it is damaged: there is nothing to append to");
}

static bool collect_marked(pickle *from, unsigned kind)
{
    size_t above;
    return find_mark(from, &above) && collect(from, above, above - 1, kind);
}

static bool collect_last(pickle *from, unsigned count)
{
    return from->depth >= count
               ? collect(from, from->depth - count, from->depth - count,
                         PICKLE_LIST)
               : refuse(from, "it is damaged: a value is missing");
}

static bool memoize_next(pickle *from, unsigned unused)
{
    (void)unused;
    return memoize(from, from->memo_count);
}

static bool pop(pickle *from, unsigned unused)
{
    (void)unused;
    if (from->depth == 0)
        return refuse(from, "it is damaged: a value is missing");
    from->depth--;
    return true;
}

static bool skip(pickle *from, unsigned bytes)
{
    uint64_t skipped;
    return take_bytes(from, bytes, &skipped);
}

/* Also in the place of a float, which is of no use here. */
static bool push_none(pickle *from, unsigned skipped)
{
    return skip(from, skipped) && push(from, 0);
}

static bool push_bool(pickle *from, unsigned value)
{
    return add_number(from, value);
}

/* What an operation does with its argument. */
typedef struct operation {
    unsigned char code;
    bool (*act)(pickle *from, unsigned argument);
    unsigned argument;
} operation;

static const operation operations[] = {
    {PROTOCOL, skip, 1},
    {0x95, skip, 8}, /* FRAME */
    {'(', add_kind, PICKLE_MARK},
    {'0', pop, 0},
    {'N', push_none, 0},
    {0x88, push_bool, 1},
    {0x89, push_bool, 0},
    {'K', number, 1},
    {'M', number, 2},
    {'J', number, 4},
    {0x8a, long_number, 1},
    {0x8b, long_number, 4},
    {'G', push_none, 8},
    {0x8c, text, 1},
    {'X', text, 4},
    {0x8d, text, 8},
    {'U', text, 1}, /* the strings of Python 2, and bytes */
    {'T', text, 4},
    {'C', text, 1},
    {'B', text, 4},
    {']', add_kind, PICKLE_LIST},
    {')', add_kind, PICKLE_LIST}, /* a tuple */
    {'}', add_kind, PICKLE_DICT},
    {'a', append_last, PICKLE_LIST},
    {'e', append_marked, PICKLE_LIST},
    {'s', append_last, PICKLE_DICT},
    {'u', append_marked, PICKLE_DICT},
    {'l', collect_marked, PICKLE_LIST},
    {'t', collect_marked, PICKLE_LIST},
    {'d', collect_marked, PICKLE_DICT},
    {0x85, collect_last, 1},
    {0x86, collect_last, 2},
    {0x87, collect_last, 3},
    {'q', put_memo, 1},
    {'r', put_memo, 4},
    {0x94, memoize_next, 0},
    {'h', get_memo, 1},
    {'j', get_memo, 4},
};

static bool step(pickle *from)
{
    unsigned char code = (unsigned char)*from->next++;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (operations[i].code == code)
            return operations[i].act(from, operations[i].argument);
    }
    return refuse(from, "a pickle of other things than plain data");
}

/* ------------------------------------------------------------------- reading
 */

bool pickle_is_one(const char *at, size_t size)
{
    return size > 2 && (unsigned char)at[0] == PROTOCOL &&
           at[1] >= PROTOCOL_MIN && at[1] <= PROTOCOL_MAX;
}

bool pickle_read(pickle *from, builder *to, const char *at, size_t size,
                 uint32_t *value)
{
    *from = (pickle){.to = to, .at = at, .next = at, .end = at + size};
    bool going = add_kind(from, PICKLE_NONE) && pop(from, 0);
    going = going && build_grow(to, &from->cells, &from->cell_room, 0,
                                sizeof *from->cells);
    if (going)
        from->cells[from->cell_count++] = (pickle_cell){.value = 0};
    while (going && from->next < from->end && *from->next != '.')
        going = step(from);
    if (going && (from->next == from->end || from->depth == 0))
        going = refuse(from, "it is cut off");
    if (going)
        *value = from->stack[from->depth - 1];
    return going || no_memory(from);
}

void pickle_free(pickle *from)
{
    free(from->values);
    free(from->cells);
    free(from->stack);
    free(from->memo);
}

/* -------------------------------------------------------------------- values
 */

uint32_t pickle_first(const pickle *of, uint32_t list)
{
    const pickle_value *value = &of->values[list];
    return value->kind == PICKLE_LIST ? value->first : 0;
}

bool pickle_is_text(const pickle *of, uint32_t value, const char *text)
{
    const pickle_value *is = &of->values[value];
    return is->kind == PICKLE_TEXT && is->number == strlen(text) &&
           memcmp(is->text, text, is->number) == 0;
}

uint32_t pickle_member(const pickle *of, uint32_t dict, const char *key)
{
    const pickle_value *value = &of->values[dict];
    uint32_t cell = value->kind == PICKLE_DICT ? value->first : 0;
    for (int i = 0; cell != 0 && i < KEYS; i++) {
        uint32_t behind = of->cells[cell].next;
        if (pickle_is_text(of, of->cells[cell].value, key))
            return of->cells[behind].value;
        cell = of->cells[behind].next;
    }
    return 0;
}
