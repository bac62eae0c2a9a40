//! `bitfit.h`, as far as it is used here. Names are C's without the prefix.
//!
//! An enum is a `u32`: `build.rs` sees to it. A `const char *` is a
//! `*const u8`, since the sign of `char` depends on the target.

use core::ffi::c_void;

use crate::stats::{OffsetStats, Stats};

/// `bitfit_pool`.
#[repr(C)]
pub struct Pool {
    _opaque: [u8; 0],
}

pub const LOCK_NONE: u32 = 1;
pub const LOCK_MUTEX: u32 = 2;
pub const LOCK_CALLER: u32 = 3;

pub const NO_OFFSET: u64 = u64::MAX;

pub type LockFunction = unsafe extern "C" fn(*mut c_void);
pub type MisuseHandler = unsafe extern "C" fn(*const Misuse, *mut c_void);
pub type Visitor = unsafe extern "C" fn(*const Run, *mut c_void) -> bool;
pub type RangeVisitor = unsafe extern "C" fn(*const Range, *mut c_void) -> bool;
#[cfg(not(target_os = "none"))]
pub type Keeper = unsafe extern "C" fn(u64, usize, *mut c_void) -> bool;

#[repr(C)]
pub struct Misuse {
    pub kind: u32,
    pub call: *const u8,
    pub pool: *mut Pool,
    pub pointer: *const c_void,
    pub size: usize,
    pub offset: u64,
    pub place: *const c_void,
}

#[repr(C)]
pub struct Options {
    pub struct_size: usize,
    pub granule: usize,
    pub payload_alignment: usize,
    pub bookkeeping: *mut c_void,
    pub bookkeeping_size: usize,
    pub lock_kind: u32,
    pub lock: Option<LockFunction>,
    pub unlock: Option<LockFunction>,
    pub lock_context: *mut c_void,
    pub on_misuse: Option<MisuseHandler>,
    pub misuse_context: *mut c_void,
    pub resize_moves: bool,
    pub zeroed: bool,
    pub guard: bool,
}

#[repr(C)]
pub struct Run {
    pub start: *mut c_void,
    pub size: usize,
    pub live: bool,
}

#[repr(C)]
pub struct Range {
    pub offset: u64,
    pub size: u64,
    pub live: bool,
}

#[repr(C)]
pub struct Move {
    pub from: u64,
    pub to: u64,
    pub size: u64,
}

/// `bitfit_offset_stats`.
#[repr(C)]
pub struct SizedOffsetStats {
    pub struct_size: usize,
    pub stats: OffsetStats,
}

extern "C" {
    pub fn bitfit_version() -> *const u8;
    pub fn bitfit_misuse_name(kind: u32) -> *const u8;
    pub fn bitfit_status_text(status: u32) -> *const u8;

    pub fn bitfit_init(
        memory: *mut c_void,
        size: usize,
        options: *const Options,
    ) -> *mut Pool;
    pub fn bitfit_init_status(
        memory: *const c_void,
        size: usize,
        options: *const Options,
    ) -> u32;
    pub fn bitfit_bookkeeping_size(
        size: usize,
        options: *const Options,
    ) -> usize;
    pub fn bitfit_bytes_for(
        peak_granules: usize,
        largest_granules: usize,
        granule: usize,
    ) -> usize;
    pub fn bitfit_destroy(pool: *mut Pool) -> usize;
    pub fn bitfit_reset(pool: *mut Pool);

    pub fn bitfit_alloc(pool: *mut Pool, size: usize) -> *mut c_void;
    pub fn bitfit_calloc(
        pool: *mut Pool,
        count: usize,
        size: usize,
    ) -> *mut c_void;
    pub fn bitfit_aligned_alloc(
        pool: *mut Pool,
        alignment: usize,
        size: usize,
    ) -> *mut c_void;
    pub fn bitfit_realloc(
        pool: *mut Pool,
        ptr: *mut c_void,
        size: usize,
    ) -> *mut c_void;
    pub fn bitfit_free(pool: *mut Pool, ptr: *mut c_void);
    pub fn bitfit_free_sized(pool: *mut Pool, ptr: *mut c_void, size: usize);
    pub fn bitfit_usable_size(pool: *mut Pool, ptr: *const c_void) -> usize;
    pub fn bitfit_good_size(pool: *const Pool, size: usize) -> usize;
    pub fn bitfit_owns(pool: *const Pool, ptr: *const c_void) -> bool;

    pub fn bitfit_get_stats(pool: *mut Pool, stats: *mut Stats);
    pub fn bitfit_reset_peak(pool: *mut Pool);
    pub fn bitfit_walk(
        pool: *mut Pool,
        visit: Visitor,
        context: *mut c_void,
    ) -> bool;
    pub fn bitfit_check(pool: *mut Pool) -> i32;
    pub fn bitfit_draw(pool: *mut Pool, buffer: *mut u8, size: usize) -> usize;
}

// bitfit_offsets.h
extern "C" {
    pub fn bitfit_init_offsets(size: u64, options: *const Options)
        -> *mut Pool;
    pub fn bitfit_init_offsets_status(
        size: u64,
        options: *const Options,
    ) -> u32;
    pub fn bitfit_offsets_bookkeeping_size(
        size: u64,
        options: *const Options,
    ) -> usize;
    pub fn bitfit_alloc_offset(pool: *mut Pool, size: u64) -> u64;
    pub fn bitfit_aligned_alloc_offset(
        pool: *mut Pool,
        alignment: u64,
        size: u64,
    ) -> u64;
    pub fn bitfit_alloc_at_offset(
        pool: *mut Pool,
        offset: u64,
        size: u64,
    ) -> bool;
    pub fn bitfit_resize_offset(
        pool: *mut Pool,
        offset: u64,
        size: u64,
    ) -> bool;
    pub fn bitfit_free_offset(pool: *mut Pool, offset: u64);
    pub fn bitfit_offset_size(pool: *mut Pool, offset: u64) -> u64;
    pub fn bitfit_next_move(
        pool: *mut Pool,
        below: u64,
        step: *mut Move,
    ) -> bool;
    pub fn bitfit_get_offset_stats(
        pool: *mut Pool,
        stats: *mut SizedOffsetStats,
    ) -> bool;
    pub fn bitfit_largest_free(pool: *mut Pool) -> u64;
    pub fn bitfit_walk_offsets(
        pool: *mut Pool,
        visit: RangeVisitor,
        context: *mut c_void,
    ) -> bool;
}

// bitfit_shared.h
#[cfg(not(target_os = "none"))]
extern "C" {
    pub fn bitfit_init_shared(
        memory: *mut c_void,
        size: usize,
        options: *const Options,
    ) -> *mut Pool;
    pub fn bitfit_init_shared_status(
        memory: *const c_void,
        size: usize,
        options: *const Options,
    ) -> u32;
    pub fn bitfit_attach(
        memory: *mut c_void,
        size: usize,
        alone: bool,
        status: *mut u32,
    ) -> *mut Pool;
    pub fn bitfit_repairs(pool: *const Pool) -> u64;
    pub fn bitfit_root(pool: *mut Pool, which: u32) -> *mut u64;
    pub fn bitfit_follow(pool: *const Pool, link: u64) -> *mut c_void;
    pub fn bitfit_alloc_into(
        pool: *mut Pool,
        size: usize,
        slot: *mut u64,
    ) -> bool;
    pub fn bitfit_calloc_into(
        pool: *mut Pool,
        count: usize,
        size: usize,
        slot: *mut u64,
    ) -> bool;
    pub fn bitfit_realloc_in(
        pool: *mut Pool,
        slot: *mut u64,
        size: usize,
    ) -> bool;
    pub fn bitfit_free_from(pool: *mut Pool, slot: *mut u64);
    pub fn bitfit_swap(pool: *mut Pool, a: *mut u64, b: *mut u64);
    pub fn bitfit_sweep(
        pool: *mut Pool,
        keep: Keeper,
        context: *mut c_void,
    ) -> usize;
}

/// A text of the core's, which are ASCII, end in a NUL and live forever.
///
/// # Safety
///
/// `text` is such a text.
pub unsafe fn text(text: *const u8) -> &'static str {
    let mut length = 0;
    // SAFETY: all bytes up to the NUL belong to the text.
    unsafe {
        while *text.add(length) != 0 {
            length += 1;
        }
        let bytes = core::slice::from_raw_parts(text, length);
        core::str::from_utf8_unchecked(bytes)
    }
}
