#include "rules.h"

#include <dlfcn.h>
#include <string.h>

#ifdef __x86_64__

/* ------------------------------------------------------------------- reading
 */

enum { FRAME_POINTER = 6, STACK_POINTER = 7, RETURN_ADDRESS = 16 };

/* How .eh_frame writes an address, of what compilers use: four bytes, counted
 * from where they stand, or eight of an address. */
enum { AS_ADDRESS = 0x00, AS_RELATIVE = 0x1b, TABLE_RELATIVE = 0x3b };

static uint16_t take_2(const uint8_t **at)
{
    uint16_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return value;
}

static uint32_t take_4(const uint8_t **at)
{
    uint32_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return value;
}

static uint64_t take_8(const uint8_t **at)
{
    uint64_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return value;
}

static uint64_t take_unsigned(const uint8_t **at)
{
    uint64_t value = 0;
    unsigned shift = 0;
    do {
        value |= (uint64_t)(**at & 0x7F) << (shift & 63);
        shift += 7;
    } while ((*(*at)++ & 0x80) != 0);
    return value;
}

static int64_t take_signed(const uint8_t **at)
{
    const uint8_t *start = *at;
    uint64_t value = take_unsigned(at);
    unsigned shift = 7 * (unsigned)(*at - start);
    if (shift < 64 && ((*at)[-1] & 0x40) != 0)
        value |= ~(uint64_t)0 << shift;
    return (int64_t)value;
}

/* ------------------------------------------------------------ the common part
 */

/* What a function's entry (FDE) and the part that many share (CIE) say. */
typedef struct frame_entry {
    uintptr_t begin, end;               /* of the code */
    const uint8_t *first, *first_end;   /* what holds at every beginning */
    const uint8_t *change, *change_end; /* and how it changes */
    uint64_t code_unit;
    int64_t data_unit;
    uint8_t encoding; /* of addresses */
} frame_entry;

/* False where the letters say what is not understood here. */
static bool read_augmentation(frame_entry *to, const char *letters,
                              const uint8_t *at)
{
    for (; *letters != '\0'; letters++) {
        switch (*letters) {
        case 'R':
            to->encoding = *at++;
            break;
        case 'L':
            at++;
            break;
        case 'P':
            at += (*at & 0x0F) == 0x0B || (*at & 0x0F) == 0x03 ? 5 : 9;
            break;
        default:
            return false; /* a signal's frame, for instance */
        }
    }
    return true;
}

static bool read_common(frame_entry *to, const uint8_t *at)
{
    uint32_t length = take_4(&at);
    to->first_end = at + length;
    at += 4;
    uint8_t version = *at++;
    const char *letters = (const char *)at;
    at += strlen(letters) + 1;
    to->code_unit = take_unsigned(&at);
    to->data_unit = take_signed(&at);
    uint64_t column = version == 1 ? *at++ : take_unsigned(&at);
    to->first = at;
    if (*letters == '\0')
        return column == RETURN_ADDRESS;
    uint64_t size = take_unsigned(&at);
    to->first = at + size;
    return *letters == 'z' && column == RETURN_ADDRESS &&
           read_augmentation(to, letters + 1, at);
}

static bool read_range(frame_entry *to, const uint8_t **at)
{
    const uint8_t *start = *at;
    if (to->encoding == AS_RELATIVE) {
        to->begin = (uintptr_t)start + (uintptr_t)(int32_t)take_4(at);
        to->end = to->begin + take_4(at);
        return true;
    }
    to->begin = take_8(at);
    to->end = to->begin + take_8(at);
    return to->encoding == AS_ADDRESS;
}

static bool read_entry(frame_entry *to, const uint8_t *at)
{
    uint32_t length = take_4(&at);
    if (length >= 0xFFFFFFF0u)
        return false; /* 64 bits wide */
    to->change_end = at + length;
    const uint8_t *back = at;
    to->encoding = AS_ADDRESS;
    if (!read_common(to, back - take_4(&at)) || !read_range(to, &at))
        return false;
    uint64_t size = take_unsigned(&at);
    to->change = at + size;
    return true;
}

/* Finds the entry in the sorted table of a library (.eh_frame_hdr). */
static const uint8_t *find_entry(const uint8_t *table, uintptr_t code)
{
    struct row {
        int32_t code, entry; /* counted from the table */
    };
    enum { VERSION = 1, HEADER = 12 };
    if (table[0] != VERSION || table[1] != AS_RELATIVE || table[2] != 0x03 ||
        table[3] != TABLE_RELATIVE)
        return NULL;
    const uint8_t *at = table + 8;
    size_t high = take_4(&at);
    size_t low = 0;
    struct row row;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        memcpy(&row, table + HEADER + middle * sizeof row, sizeof row);
        if ((uintptr_t)table + (uintptr_t)row.code <= code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    memcpy(&row, table + HEADER + (low - 1) * sizeof row, sizeof row);
    return table + row.entry;
}

/* -------------------------------------------------------------- what changes
 */

typedef enum place_kind {
    PLACE_KEPT,
    PLACE_STACK,
    PLACE_NONE,
    PLACE_OTHER
} place_kind;

/* Where a register of the caller's is. */
typedef struct place {
    place_kind kind;
    int64_t offset; /* from the caller's stack */
} place;

typedef struct frame_state {
    uint64_t base; /* the register from which the caller's stack is counted */
    int64_t offset;
    bool other; /* it is not counted from a register */
    place frame_pointer, return_address;
} frame_state;

enum { REMEMBERED_MAX = 8 };

typedef struct frame_machine {
    const frame_entry *entry;
    frame_state now, at_first;
    frame_state remembered[REMEMBERED_MAX];
    size_t depth;
    uintptr_t code; /* what is known so far holds up to here */
} frame_machine;

static void set_place(frame_machine *in, uint64_t name, place_kind kind,
                      int64_t offset)
{
    if (name == FRAME_POINTER)
        in->now.frame_pointer = (place){kind, offset};
    if (name == RETURN_ADDRESS)
        in->now.return_address = (place){kind, offset};
}

static void restore_place(frame_machine *in, uint64_t name)
{
    if (name == FRAME_POINTER)
        in->now.frame_pointer = in->at_first.frame_pointer;
    if (name == RETURN_ADDRESS)
        in->now.return_address = in->at_first.return_address;
}

static void skip_block(const uint8_t **at)
{
    uint64_t size = take_unsigned(at);
    *at += size;
}

static bool restore_state(frame_machine *in)
{
    if (in->depth == 0)
        return false;
    in->now = in->remembered[--in->depth];
    return true;
}

static bool remember_state(frame_machine *in)
{
    if (in->depth == REMEMBERED_MAX)
        return false;
    in->remembered[in->depth++] = in->now;
    return true;
}

/* The operations have their numbers from the DWARF standard. These return false
 * where the number is none of theirs, or what it asks for is not possible. */

static bool do_advance(frame_machine *in, uint8_t operation, const uint8_t **at)
{
    uint64_t units = 0;
    switch (operation) {
    case 0x02:
        units = *(*at)++;
        break;
    case 0x03:
        units = take_2(at);
        break;
    case 0x04:
        units = take_4(at);
        break;
    default:
        return false;
    }
    in->code += units * in->entry->code_unit;
    return true;
}

/* Where a register of the caller's is. */
static bool do_place(frame_machine *in, uint8_t operation, const uint8_t **at)
{
    static const uint8_t known[] = {0x05, 0x06, 0x07, 0x08, 0x10, 0x11, 0x16};
    if (memchr(known, operation, sizeof known) == NULL)
        return false;
    uint64_t name = take_unsigned(at);
    int64_t unit = in->entry->data_unit;
    switch (operation) {
    case 0x05:
        set_place(in, name, PLACE_STACK, (int64_t)take_unsigned(at) * unit);
        break;
    case 0x06:
        restore_place(in, name);
        break;
    case 0x07:
        set_place(in, name, PLACE_NONE, 0);
        break;
    case 0x08:
        set_place(in, name, PLACE_KEPT, 0);
        break;
    case 0x11:
        set_place(in, name, PLACE_STACK, take_signed(at) * unit);
        break;
    default: /* by an expression */
        set_place(in, name, PLACE_OTHER, 0);
        skip_block(at);
    }
    return true;
}

/* Where the caller's stack begins. */
static bool do_base(frame_machine *in, uint8_t operation, const uint8_t **at)
{
    switch (operation) {
    case 0x0c:
        in->now.base = take_unsigned(at);
        in->now.offset = (int64_t)take_unsigned(at);
        in->now.other = false;
        return true;
    case 0x0d:
        in->now.base = take_unsigned(at);
        return true;
    case 0x0e:
        in->now.offset = (int64_t)take_unsigned(at);
        return true;
    case 0x0f: /* by an expression */
        skip_block(at);
        in->now.other = true;
        return true;
    default:
        return false;
    }
}

static bool do_other(frame_machine *in, uint8_t operation, const uint8_t **at)
{
    switch (operation) {
    case 0x00: /* nothing */
        return true;
    case 0x0a:
        return remember_state(in);
    case 0x0b:
        return restore_state(in);
    case 0x2e: /* what arguments take */
        take_unsigned(at);
        return true;
    default:
        return false;
    }
}

static bool do_long(frame_machine *in, uint8_t operation, const uint8_t **at)
{
    return do_advance(in, operation, at) || do_place(in, operation, at) ||
           do_base(in, operation, at) || do_other(in, operation, at);
}

/* Runs what holds for the code up to `code`, and no further. */
static bool run(frame_machine *in, const uint8_t *at, const uint8_t *end,
                uintptr_t code)
{
    while (at < end) {
        uint8_t operation = *at++;
        uint8_t low = operation & 0x3F;
        uintptr_t before = in->code;
        switch (operation >> 6) {
        case 1:
            in->code += low * in->entry->code_unit;
            break;
        case 2:
            set_place(in, low, PLACE_STACK,
                      (int64_t)take_unsigned(&at) * in->entry->data_unit);
            break;
        case 3:
            restore_place(in, low);
            break;
        default:
            if (!do_long(in, operation, &at))
                return false;
        }
        if (in->code != before && in->code > code)
            return true;
    }
    return true;
}

static frame_rule rule_of(const frame_state *state)
{
    frame_rule rule = {.kind = RULE_NONE};
    if (state->return_address.kind == PLACE_NONE)
        return (frame_rule){.kind = RULE_END};
    bool fits = !state->other && state->return_address.kind == PLACE_STACK &&
                state->return_address.offset == -8 &&
                state->offset == (int32_t)state->offset &&
                (state->frame_pointer.kind == PLACE_KEPT ||
                 (state->frame_pointer.kind == PLACE_STACK &&
                  state->frame_pointer.offset < 0 &&
                  state->frame_pointer.offset >= INT16_MIN));
    if (!fits)
        return rule;
    rule.offset = (int32_t)state->offset;
    rule.saved = (int16_t)state->frame_pointer.offset;
    if (state->base == STACK_POINTER)
        rule.kind = RULE_STACK;
    else if (state->base == FRAME_POINTER)
        rule.kind = RULE_FRAME;
    return rule;
}

/* Code that no library has, such as a compiler's at run time, has no rules: a
 * stack ends there. */
static frame_rule read_rule(uintptr_t address)
{
    struct dl_find_object library;
    frame_entry entry;
    uintptr_t code = address - 1; /* of the call, not of what follows it */
    if (_dl_find_object((void *)code, &library) != 0 ||
        library.dlfo_eh_frame == NULL)
        return (frame_rule){.kind = RULE_END};
    const uint8_t *at = find_entry(library.dlfo_eh_frame, code);
    if (at == NULL || !read_entry(&entry, at))
        return (frame_rule){.kind = RULE_NONE};
    if (code < entry.begin || code >= entry.end)
        return (frame_rule){.kind = RULE_END};
    frame_machine machine = {.entry = &entry, .code = entry.begin};
    if (!run(&machine, entry.first, entry.first_end, code))
        return (frame_rule){.kind = RULE_NONE};
    machine.at_first = machine.now;
    if (!run(&machine, entry.change, entry.change_end, code))
        return (frame_rule){.kind = RULE_NONE};
    return rule_of(&machine.now);
}

/* ------------------------------------------------------------------- keeping
 */

kept_rule rules_kept[RULES_KEPT];

static void keep(size_t at, uint64_t name, uint64_t packed)
{
    kept_rule *to = &rules_kept[at];
    atomic_store_explicit(&to->rule, packed, memory_order_relaxed);
    atomic_store_explicit(&to->check, packed ^ name, memory_order_relaxed);
}

/* In one of two places: what was kept in the first moves to the second. */
frame_rule rule_read(uintptr_t address)
{
    size_t at = rule_place(address);
    const kept_rule *first = &rules_kept[at];
    uint64_t old = atomic_load_explicit(&first->rule, memory_order_relaxed);
    uint64_t check = atomic_load_explicit(&first->check, memory_order_relaxed);
    keep(at ^ 1, old ^ check, old);
    frame_rule rule = read_rule(address);
    keep(at, rule_name(address), rule_pack(rule));
    return rule;
}

#else

kept_rule rules_kept[RULES_KEPT];

frame_rule rule_read(uintptr_t address)
{
    (void)address;
    return (frame_rule){.kind = RULE_NONE};
}

#endif

_Atomic uint64_t rules_generation;

void rules_forget(void)
{
    atomic_fetch_add(&rules_generation, 1);
}
