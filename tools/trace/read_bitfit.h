/* The records of the project's own format, one by one: format.h. */
#ifndef TRACE_READ_BITFIT_H
#define TRACE_READ_BITFIT_H

#include "input.h"

typedef struct reading {
    const char *at;
    builder *to;
    size_t next; /* offset */
    size_t end;
    bool short_of; /* the record is cut off */
} reading;

/* Of any length. */
uint64_t reading_long_varint(reading *from);

/* 0 and `short_of` if it is cut off, or has too many bytes to be a number. Most
 * are one byte. */
static inline uint64_t reading_varint(reading *from)
{
    unsigned char first =
        from->next < from->end ? (unsigned char)from->at[from->next] : 0x80;
    if (first >= 0x80)
        return reading_long_varint(from);
    from->next++;
    return first;
}

/* Skips the header, with the flag and the description. False if it is cut
 * off. */
bool reading_skip_header(reading *from);

/* Reads a record. False with `short_of` if it is cut off, else with the
 * builder's `wrong`; where it is cut off the builder is as it was. */
bool reading_record(reading *from);

#endif
