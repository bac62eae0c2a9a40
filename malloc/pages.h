/*
 * Which pages of the payload may hold something, and giving the others back.
 *
 * Two bits a page: *dirty*, it may hold other than zero bytes; *old*, it was
 * dirty and free when last looked at. Pages that are free and old are given
 * back to the system, which makes them zero. All calls are made under the
 * heap's lock.
 */
#ifndef BITFIT_MALLOC_PAGES_H
#define BITFIT_MALLOC_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of bits for a payload of `size` bytes in pages of 2^page_shift. */
size_t pages_size(size_t size, unsigned page_shift);

/* The bytes [ptr, ptr + size) are in use now. */
void pages_use(const void *ptr, size_t size);

/* The same, where they are about to be read and then written to: a page that
 * nobody had is written to now, or else it would cost two faults. */
void pages_use_now(void *ptr, size_t size);

/* The same, where the content has to be zero: writes only what may be dirty. */
void pages_use_zeroed(void *ptr, size_t size);

/* Whether every byte of [ptr, ptr + size) is zero: looks where pages are dirty.
 */
bool pages_are_zero(const void *ptr, size_t size);

/* Gives the whole pages [ptr, ptr + size) back: they are zero afterwards. False
 * if the system does not take them. */
bool pages_drop(const void *ptr, size_t size);

/* The same for those of them that may hold something; whether any did. */
bool pages_drop_dirty(const void *ptr, size_t size);

/* Gives the marks' pages back, which read as zeros then. */
void pages_drop_marks(void);

/* Something was freed: looks whether it is time to give pages back. */
void pages_tick(size_t freed);

/* Gives every free page back but for the lowest holes of `keep` bytes in all;
 * the bytes given back. */
size_t pages_trim(size_t keep);

#endif
