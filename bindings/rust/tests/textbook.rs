//! The three examples of examples/global_allocator, in the pool sizes and the
//! smallest blocks that are to be had there.

use std::alloc::{GlobalAlloc, Layout};

use bitfit::{GlobalPool, Mutex, Options, Setup};

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 1).unwrap()
}

fn freed_block_is_handed_out_again(pool: &dyn GlobalAlloc) {
    unsafe {
        let first = pool.alloc(layout(32));
        let second = pool.alloc(layout(64));
        pool.dealloc(first, layout(32));
        let third = pool.alloc(layout(32));
        assert!(!first.is_null() && !second.is_null());
        assert_eq!(third, first);
        pool.dealloc(second, layout(64));
        pool.dealloc(third, layout(32));
    }
}

fn whole_pool_is_null(pool: &dyn GlobalAlloc, size: usize) {
    unsafe {
        assert!(pool.alloc(layout(size)).is_null());
    }
}

fn half_the_pool_fits_once(pool: &dyn GlobalAlloc, size: usize) {
    unsafe {
        let half = pool.alloc(layout(size / 2));
        assert!(!half.is_null());
        assert!(pool.alloc(layout(size / 2)).is_null());
        pool.dealloc(half, layout(size / 2));
    }
}

macro_rules! textbook {
    ($($name:ident: $size:literal / $block:literal,)*) => {$(
        #[test]
        fn $name() {
            struct Blocks;
            impl Setup for Blocks {
                type Lock = Mutex;
                const OPTIONS: Options = Options::new().granule($block);
            }
            static POOL: GlobalPool<$size, Blocks> = GlobalPool::new();
            freed_block_is_handed_out_again(&POOL);
            whole_pool_is_null(&POOL, $size);
            half_the_pool_fits_once(&POOL, $size);
            assert_eq!(POOL.pool().stats().blocks, 0);
            assert_eq!(POOL.pool().stats().failures, 2);
            assert_eq!(POOL.pool().check(), Ok(()));
        }
    )*};
}

textbook! {
    pool_1024_block_16: 1024 / 16,
    pool_1024_block_32: 1024 / 32,
    pool_1024_block_64: 1024 / 64,
    pool_1024_block_128: 1024 / 128,
    pool_1024_block_256: 1024 / 256,
    pool_2048_block_16: 2048 / 16,
    pool_2048_block_32: 2048 / 32,
    pool_2048_block_64: 2048 / 64,
    pool_2048_block_128: 2048 / 128,
    pool_2048_block_256: 2048 / 256,
    pool_4096_block_16: 4096 / 16,
    pool_4096_block_32: 4096 / 32,
    pool_4096_block_64: 4096 / 64,
    pool_4096_block_128: 4096 / 128,
    pool_4096_block_256: 4096 / 256,
}
