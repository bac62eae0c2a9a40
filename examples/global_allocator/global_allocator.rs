//! The textbook's global allocator: one static pool and two calls.
//! `global_allocator.h` beside this file says where its parts are.

use std::alloc::{GlobalAlloc, Layout};

use bitfit::{GlobalPool, Mutex, Options, Setup};

/// Bytes of the pool: 1024 to 4096.
pub const POOL_SIZE: usize = 1024;

/// Bytes of the smallest block: 16 to 256.
pub const MIN_BLOCK_SIZE: usize = 16;

const _: () = assert!(1024 <= POOL_SIZE && POOL_SIZE <= 4096);
const _: () = assert!(16 <= MIN_BLOCK_SIZE && MIN_BLOCK_SIZE <= 256);

// Both, rounded up to a power of two: these are the sizes in use.
const POOL_BYTES: usize = POOL_SIZE.next_power_of_two();
const BLOCK_BYTES: usize = MIN_BLOCK_SIZE.next_power_of_two();

/// The mutex and the block size, as options of the pool.
pub struct Textbook;

impl Setup for Textbook {
    type Lock = Mutex;
    const OPTIONS: Options = Options::new().granule(BLOCK_BYTES);
}

/// A program that wants all its memory from here puts `#[global_allocator]`
/// above this line, and lifts the limit on `POOL_SIZE`.
pub static GLOBAL_ALLOCATOR: GlobalPool<POOL_BYTES, Textbook> =
    GlobalPool::new();

/// A block of `size` bytes at the lowest address that fits. Null if and only if
/// it fits nowhere.
pub fn allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: a pool gives a layout of 0 bytes a block, too.
        Ok(layout) => unsafe { GLOBAL_ALLOCATOR.alloc(layout) },
        Err(_) => std::ptr::null_mut(),
    }
}

/// Gives back a block: its address, and the size that was asked for. Null does
/// nothing. A wrong address or size is misuse: it is caught, and the pool stays
/// as it is.
///
/// # Safety
///
/// The block is not used any more.
pub unsafe fn deallocate(ptr: *mut u8, size: usize) {
    // A layout has no more. No block is that large, so it stays a wrong size.
    let size = size.min(isize::MAX as usize);
    let layout = Layout::array::<u8>(size).expect("a size of a layout");
    // SAFETY: the pool checks address and size; the rest is the caller's word.
    unsafe { GLOBAL_ALLOCATOR.dealloc(ptr, layout) }
}

/// The constants in use, and which of them were rounded.
pub fn describe() -> String {
    let rounded = |asked, used| match asked == used {
        true => "",
        false => ", rounded up to a power of two",
    };
    format!(
        "POOL_SIZE {}: a pool of {} bytes{}\n\
         MIN_BLOCK_SIZE {}: blocks of {} bytes or more{}\n",
        POOL_SIZE,
        POOL_BYTES,
        rounded(POOL_SIZE, POOL_BYTES),
        MIN_BLOCK_SIZE,
        BLOCK_BYTES,
        rounded(MIN_BLOCK_SIZE, BLOCK_BYTES)
    )
}

#[test]
fn the_textbook() {
    // SAFETY: no block is used after it was given back.
    unsafe {
        let first = allocate(32);
        let second = allocate(64);
        deallocate(first, 32);
        let third = allocate(32);
        assert!(!first.is_null() && !second.is_null());
        assert_eq!(third, first, "a freed block is handed out again");
        deallocate(second, 64);
        deallocate(third, 32);

        let half = allocate(POOL_BYTES / 2);
        assert!(!half.is_null());
        assert!(allocate(POOL_BYTES / 2).is_null(), "half fits once");
        deallocate(half, POOL_BYTES / 2);
    }
    assert!(allocate(POOL_BYTES).is_null(), "the bookkeeping is inside");
    assert!(allocate(usize::MAX).is_null());
    assert_eq!(GLOBAL_ALLOCATOR.pool().stats().blocks, 0);
}
