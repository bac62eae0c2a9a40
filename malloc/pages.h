/*
 * Which pages of the payload may hold something, and giving the others back.
 *
 * Three bits a page: *dirty*, it may hold other than zero bytes; *old*, it was
 * dirty and free when last looked at; *closed*, nobody can touch it. Pages that
 * are free and old are given back to the system, which makes them zero. All
 * calls are made under the heap's lock.
 *
 * *Closing* a page that was used costs more than all else here, and using it
 * again costs a fault. So a page that is closed stays so until it is handed
 * out, and one that is to be closed again costs nothing.
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

/* The same, where the content has to be zero: writes only what may be dirty. */
void pages_use_zeroed(void *ptr, size_t size);

/* Whether every byte of [ptr, ptr + size), which are whole granules, is zero:
 * looks where pages are dirty and open. */
bool pages_are_zero(const void *ptr, size_t size);

/* Closes the whole pages [ptr, ptr + size), whose bytes are zero, or opens all
 * pages that have some of these bytes. False if the system does not. */
bool pages_close(const void *ptr, size_t size);
bool pages_open(const void *ptr, size_t size);

/* Whether all pages that have some of these bytes are open and in use; and
 * makes them so, and there: a page that is read before it is written to costs
 * two faults. The `more` bytes behind them are free: some become so, too. False
 * if the system does not give them. */
bool pages_are_ready(const void *ptr, size_t size);
bool pages_make_ready(void *ptr, size_t size, size_t more);

/* Each run of closed pages may be a mapping, and a process has 65,530: opens
 * those that are free, once in some thousand changes. */
void pages_join(void);

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
