//! Pools of one's own: each promise of `Pool`, `PoolBox` and `Options`.

use std::alloc::Layout;
use std::cell::RefCell;
use std::env;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;

use bitfit::{
    InitError, Lock, LockKind, Misuse, MisuseKind, NoLock, Options, Pool, Run,
};

type Bytes<const SIZE: usize> = [MaybeUninit<u8>; SIZE];

const fn bytes<const SIZE: usize>() -> Bytes<SIZE> {
    [MaybeUninit::uninit(); SIZE]
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

#[test]
fn the_lowest_address_that_fits_is_taken() {
    let mut memory = bytes::<4096>();
    let pool = Pool::new(&mut memory).unwrap();
    let a = pool.allocate(layout(32, 1)).unwrap();
    let b = pool.allocate(layout(32, 1)).unwrap();
    let _c = pool.allocate(layout(32, 1)).unwrap();
    unsafe { pool.deallocate(b, layout(32, 1)) };
    assert_eq!(pool.draw(&mut [0; 9]), "AA..BB..");
    assert_eq!(pool.allocate(layout(48, 1)).unwrap().as_ptr(), unsafe {
        a.as_ptr().add(96)
    });
    assert_eq!(pool.allocate(layout(17, 1)), Some(b));
}

#[test]
fn none_if_and_only_if_it_fits_nowhere() {
    let mut memory = bytes::<4096>();
    let pool = Pool::new(&mut memory).unwrap();
    let all = pool.stats().largest_free;
    assert_eq!(pool.allocate(layout(all + 1, 1)), None);
    assert_eq!(pool.allocate(layout(usize::MAX / 4, 1)), None);
    assert!(pool.allocate(layout(all, 1)).is_some());
    assert_eq!(pool.allocate(layout(0, 1)), None);
    assert_eq!(pool.stats().failures, 3);
}

#[test]
fn memory_may_be_misaligned() {
    let mut memory = bytes::<1024>();
    for start in 0..32 {
        let pool = Pool::new(&mut memory[start..]).unwrap();
        let block = pool.allocate(layout(1, 16)).unwrap();
        assert_eq!(block.as_ptr() as usize % 16, 0);
    }
}

#[test]
fn a_pool_that_cannot_be_made_says_why() {
    let mut memory = bytes::<1024>();
    let mut none = bytes::<0>();
    let error = Pool::new(&mut none).unwrap_err();
    assert_eq!(error, InitError::TooSmall);
    assert_eq!(error.to_string(), "no room for a single granule");
    let mut refuse = |options: Options| {
        Pool::with_options(&mut memory, options).unwrap_err()
    };
    assert_eq!(refuse(Options::new().granule(24)), InitError::BadGranule);
    assert_eq!(
        refuse(Options::new().payload_alignment(24)),
        InitError::BadAlignment
    );
}

#[test]
fn bookkeeping_can_lie_apart() {
    let mut memory = bytes::<4096>();
    let mut apart = bytes::<1024>();
    let options = Options::new();
    let needed = Pool::bookkeeping_size(4096, &options);
    assert!(needed > 0);
    let error = Pool::with_bookkeeping(&mut memory, &mut apart[..8], options)
        .unwrap_err();
    assert_eq!(error, InitError::BadBookkeeping);
    let pool =
        Pool::with_bookkeeping(&mut memory[..], &mut apart, options).unwrap();
    let stats = pool.stats();
    assert_eq!(stats.bookkeeping, needed);
    assert!(stats.capacity >= 4096 - 16);
}

#[test]
fn every_alignment_is_served_and_kept() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 16];
    let pool = Pool::new(&mut memory).unwrap();
    for align in (0..13).map(|bit| 1 << bit) {
        let old = layout(24, align);
        let block = pool.allocate_zeroed(old).unwrap();
        assert_eq!(block.as_ptr() as usize % align, 0);
        unsafe {
            let content = block.as_ptr().cast::<[u8; 24]>();
            assert_eq!(content.read(), [0; 24]);
            content.write([7; 24]);
            let _fence = pool.allocate(layout(1, 1)).unwrap();
            let grown = pool.reallocate(block, old, 5000).unwrap();
            assert_eq!(grown.as_ptr() as usize % align, 0);
            assert_eq!(grown.as_ptr().cast::<[u8; 24]>().read(), [7; 24]);
            let new = layout(5000, align);
            assert_eq!(pool.reallocate(grown, new, 24), Some(grown));
            pool.deallocate(grown, old);
        }
    }
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_refused_reallocate_leaves_the_block() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    for align in [1, 64] {
        let block = pool.allocate(layout(64, align)).unwrap();
        unsafe {
            block.as_ptr().write_bytes(9, 64);
            assert_eq!(pool.reallocate(block, layout(64, align), 4096), None);
            assert_eq!(block.as_ptr().cast::<[u8; 64]>().read(), [9; 64]);
            pool.deallocate(block, layout(64, align));
        }
    }
    assert_eq!(pool.stats().blocks, 0);
}

#[test]
fn allocate_zeroed_clears_what_was_used() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    for align in [1, 128] {
        let dirty = pool.allocate(layout(200, align)).unwrap();
        unsafe {
            dirty.as_ptr().write_bytes(0xa5, 200);
            pool.deallocate(dirty, layout(200, align));
            let clean = pool.allocate_zeroed(layout(200, align)).unwrap();
            assert_eq!(clean, dirty);
            assert_eq!(clean.as_ptr().cast::<[u8; 200]>().read(), [0; 200]);
            pool.deallocate(clean, layout(200, align));
        }
    }
}

#[test]
fn resize_moves_moves() {
    let mut memory = bytes::<1024>();
    let options = Options::new().resize_moves(true);
    let pool = Pool::with_options(&mut memory, options).unwrap();
    for align in [1, 64, 64, 64, 64] {
        let old = layout(64, align);
        let block = pool.allocate(old).unwrap();
        unsafe {
            let moved = pool.reallocate(block, old, 32).unwrap();
            assert_ne!(moved, block);
            assert_eq!(moved.as_ptr() as usize % align, 0);
            pool.deallocate(moved, layout(32, align));
        }
        // The next hole starts at another remainder of the alignment.
        pool.allocate(layout(1, 1)).unwrap();
    }
    // A shrink that finds no place keeps the block, and can be given back.
    let all = pool.stats().largest_free;
    let block = pool.allocate(layout(all, 1)).unwrap();
    unsafe {
        assert_eq!(pool.reallocate(block, layout(all, 1), 8), Some(block));
        pool.deallocate(block, layout(8, 1));
    }
    assert_eq!(pool.stats().blocks, 5);
}

#[test]
fn statistics_have_every_field() {
    let mut memory = bytes::<4096>();
    let options = Options::new().granule(32);
    let pool = Pool::with_options(&mut memory, options).unwrap();
    let small = pool.allocate(layout(40, 1)).unwrap();
    let large = pool.allocate(layout(500, 1)).unwrap();
    let _last = pool.allocate(layout(1, 1)).unwrap();
    unsafe {
        pool.deallocate(large, layout(500, 1));
        pool.reallocate(small, layout(40, 1), 30).unwrap();
        pool.reallocate(small, layout(30, 1), 31).unwrap();
    }
    assert_eq!(pool.allocate(layout(1 << 20, 1)), None);
    let stats = pool.stats();
    assert_eq!(stats.granule, 32);
    assert_eq!(stats.capacity, stats.live + stats.free);
    assert!((3000..4096).contains(&stats.capacity));
    assert!((1..1000).contains(&stats.bookkeeping));
    assert_eq!(stats.live, 64);
    assert_eq!(stats.blocks, 2);
    assert_eq!(stats.high_water, 64 + 512 + 32);
    assert_eq!(stats.largest_free, stats.capacity - stats.high_water);
    assert_eq!(stats.peak_live, 64 + 512 + 32);
    assert_eq!(stats.largest_block, 512);
    assert_eq!(stats.allocations, 3);
    assert_eq!(stats.frees, 1);
    assert_eq!(stats.reallocations, 2);
    assert_eq!(stats.failures, 1);
}

#[test]
fn sizes_and_places_can_be_asked_for() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    let block = pool.allocate(layout(20, 1)).unwrap();
    assert_eq!(pool.usable_size(block), 32);
    assert_eq!(pool.good_size(20), Some(32));
    assert_eq!(pool.good_size(0), Some(16));
    assert_eq!(pool.good_size(4096), None);
    assert!(pool.owns(block.as_ptr()));
    assert!(!pool.owns(&pool));
}

#[test]
fn walk_shows_every_run_and_breaks_with_a_value() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    let a = pool.allocate(layout(32, 1)).unwrap();
    let b = pool.allocate(layout(16, 1)).unwrap();
    unsafe { pool.deallocate(a, layout(32, 1)) };
    let mut runs = Vec::new();
    let flow = pool.walk(|run| -> ControlFlow<()> {
        runs.push(run);
        ControlFlow::Continue(())
    });
    assert_eq!(flow, ControlFlow::Continue(()));
    assert_eq!(runs.len(), 3);
    let hole = Run {
        start: a,
        size: 32,
        live: false,
    };
    assert_eq!(runs[0], hole);
    assert_eq!((runs[1].start, runs[1].live), (b, true));
    let first_block = pool.walk(|run| {
        if run.live {
            ControlFlow::Break(run.size)
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(first_block, ControlFlow::Break(16));
}

#[test]
fn runs_are_those_of_a_walk() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 14];
    let pool = Pool::new(&mut memory).unwrap();
    for blocks in [0, 1, 31, 32, 33, 64, 100] {
        let mut owned: Vec<_> =
            (0..blocks).map(|_| pool.boxed([0u8; 20]).ok()).collect();
        for every_other in owned.iter_mut().skip(1).step_by(2) {
            *every_other = None;
        }
        let mut walked = Vec::new();
        let _ = pool.walk(|run| -> ControlFlow<()> {
            walked.push(run);
            ControlFlow::Continue(())
        });
        assert_eq!(pool.runs().collect::<Vec<_>>(), walked);
        let live = pool.runs().filter(|run| run.live).count();
        assert_eq!(live, (blocks + 1) / 2);
    }
}

#[test]
fn the_pool_may_change_while_its_runs_are_shown() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 14];
    let pool = Pool::new(&mut memory).unwrap();
    for _ in 0..100 {
        pool.allocate(layout(48, 1)).unwrap();
    }
    let mut last = 0;
    for run in pool.runs().filter(|run| run.live) {
        let start = run.start.as_ptr() as usize;
        assert!(start > last);
        last = start;
        unsafe { pool.deallocate(run.start, layout(run.size, 1)) };
    }
    assert_eq!(pool.stats().blocks, 0);
}

#[test]
fn draw_needs_room_for_a_nul() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    let granules = pool.stats().capacity / 16;
    assert_eq!(pool.draw(&mut [0; 1024]).len(), granules);
    assert_eq!(pool.draw(&mut [0; 1]), "");
    assert_eq!(pool.draw(&mut []), "");
}

#[test]
fn close_counts_what_was_left_and_reset_takes_it_back() {
    let mut memory = bytes::<1024>();
    let mut pool = Pool::new(&mut memory).unwrap();
    pool.allocate(layout(1, 1)).unwrap();
    pool.reset();
    assert_eq!(pool.stats().blocks, 0);
    pool.allocate(layout(1, 1)).unwrap();
    pool.allocate(layout(2, 1)).unwrap();
    assert_eq!(pool.close(), 2);
    assert!(Pool::new(&mut memory).is_ok());
}

#[test]
fn owned_values_are_dropped_with_their_blocks() {
    let mut memory = bytes::<4096>();
    let pool = Pool::new(&mut memory).unwrap();
    let shared = Rc::new(());
    let owned = pool.boxed(Rc::clone(&shared)).unwrap();
    let slice = pool.boxed_slice(5, |_| Rc::clone(&shared)).unwrap();
    assert_eq!(Rc::strong_count(&shared), 7);
    assert_eq!(pool.stats().blocks, 2);
    drop(slice);
    let taken: Rc<()> = owned.into_inner();
    assert_eq!(pool.stats().blocks, 0);
    assert_eq!(Rc::strong_count(&shared), 2);
    drop(taken);
}

#[test]
fn owned_values_are_used_in_place() {
    let mut memory = bytes::<4096>();
    let pool = Pool::new(&mut memory).unwrap();
    let mut squares = pool.boxed_slice(10, |i| i * i).unwrap();
    squares[0] = 100;
    assert_eq!(squares.iter().sum::<usize>(), 385);
    let text = pool.boxed(RefCell::new(String::from("a"))).unwrap();
    text.borrow_mut().push('b');
    assert_eq!(format!("{:?}", text.borrow()), "\"ab\"");
    #[derive(Debug)]
    #[repr(align(512))]
    struct Wide(u8);
    let wide = pool.boxed(Wide(3)).unwrap();
    let address: *const Wide = &*wide;
    assert_eq!((address as usize % 512, wide.0), (0, 3));
    let nothing: [u64; 0] = pool.boxed([]).unwrap().into_inner();
    assert_eq!(nothing, []);
}

#[test]
fn a_value_that_fits_nowhere_comes_back() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    assert_eq!(pool.boxed([1u8; 2000]).unwrap_err(), [1u8; 2000]);
    let mut made = 0;
    let make = |_| {
        made += 1;
        made
    };
    assert!(pool.boxed_slice(2000, make).is_none());
    assert!(pool.boxed_slice(usize::MAX, |i| i).is_none());
    assert_eq!(made, 0);
}

#[test]
fn a_slice_whose_making_panics_leaves_nothing() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    let shared = Rc::new(());
    let making = panic::catch_unwind(AssertUnwindSafe(|| {
        pool.boxed_slice(10, |i| {
            assert!(i < 5, "on purpose");
            Rc::clone(&shared)
        })
        .is_some()
    }));
    assert!(making.is_err());
    assert_eq!(Rc::strong_count(&shared), 1);
    assert_eq!(pool.stats().blocks, 0);
}

#[test]
fn a_handler_decides_what_misuse_costs() {
    static SEEN: Mutex<Vec<MisuseKind>> = Mutex::new(Vec::new());
    fn count(misuse: &Misuse) {
        assert!(misuse.call.starts_with("bitfit_"));
        assert!(
            misuse.kind == MisuseKind::Reentry || !misuse.pointer.is_null()
        );
        SEEN.lock().unwrap().push(misuse.kind);
    }
    let mut memory = bytes::<1024>();
    let options = Options::new().on_misuse(count);
    let pool = Pool::with_options(&mut memory, options).unwrap();
    let block = pool.allocate(layout(64, 1)).unwrap();
    let offset = |bytes| {
        let address = unsafe { block.as_ptr().add(bytes) };
        NonNull::new(address).unwrap()
    };
    unsafe {
        pool.deallocate(offset(1), layout(1, 1));
        pool.deallocate(offset(16), layout(1, 1));
        pool.deallocate(offset(64), layout(1, 1));
        pool.deallocate(block, layout(65, 1));
        pool.deallocate(NonNull::dangling(), layout(1, 1));
    }
    let _ = pool.walk(|_| {
        assert_eq!(pool.allocate(layout(1, 1)), None);
        ControlFlow::Break(())
    });
    let seen = [
        MisuseKind::Misaligned,
        MisuseKind::Interior,
        MisuseKind::DoubleFree,
        MisuseKind::WrongSize,
        MisuseKind::Foreign,
        MisuseKind::Reentry,
    ];
    assert_eq!(*SEEN.lock().unwrap(), seen);
    assert_eq!(pool.stats().blocks, 1);
}

#[test]
fn misuses_have_names() {
    assert_eq!(MisuseKind::DoubleFree.to_string(), "double free");
    assert_eq!(MisuseKind::Reentry.to_string(), "re-entry");
}

#[test]
fn used_and_free_are_all_there_is() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    let all = pool.stats().capacity;
    assert_eq!((pool.used(), pool.free()), (0, all));
    let block = pool.boxed([0u8; 17]).unwrap();
    assert_eq!((pool.used(), pool.free()), (32, all - 32));
    drop(block);
    assert_eq!((pool.used(), pool.free()), (0, all));
}

#[test]
fn threads_share_a_pool() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 16];
    let pool = Pool::new(&mut memory).unwrap();
    thread::scope(|scope| {
        for mark in 0..4u8 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..5000 {
                    let length = round % 97 + 1;
                    let mine = pool.boxed_slice(length, |_| mark).unwrap();
                    let moved = pool.boxed(mine).unwrap();
                    assert!(moved.iter().all(|byte| *byte == mark));
                }
            });
        }
    });
    assert_eq!(pool.stats().blocks, 0);
    assert_eq!(pool.stats().allocations, 40_000);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_pool_without_a_lock_moves_between_threads() {
    let memory = Box::leak(Box::new(bytes::<1024>()));
    let options = Options::new().lock::<NoLock>();
    let pool = Pool::with_options(memory, options).unwrap();
    let block = pool.allocate(layout(1, 1)).unwrap().as_ptr() as usize;
    let again = thread::spawn(move || {
        let block = NonNull::new(block as *mut u8).unwrap();
        unsafe { pool.deallocate(block, layout(1, 1)) };
        pool.allocate(layout(1, 1)).unwrap().as_ptr() as usize
    });
    assert_eq!(again.join().unwrap(), block);
}

static LOCKS: AtomicUsize = AtomicUsize::new(0);
static UNLOCKS: AtomicUsize = AtomicUsize::new(0);

struct Counted;

// SAFETY: it locks nothing, and is used by one thread.
unsafe impl Lock for Counted {
    const KIND: LockKind = LockKind::Caller {
        lock: || {
            LOCKS.fetch_add(1, Ordering::Relaxed);
        },
        unlock: || {
            UNLOCKS.fetch_add(1, Ordering::Relaxed);
        },
    };
}

#[test]
fn a_lock_of_ones_own_is_taken_for_every_call() {
    let mut memory = bytes::<1024>();
    let options = Options::new().lock::<Counted>();
    let pool = Pool::with_options(&mut memory, options).unwrap();
    let before = LOCKS.load(Ordering::Relaxed);
    pool.allocate(layout(1, 1)).unwrap();
    assert_eq!(LOCKS.load(Ordering::Relaxed), before + 1);
    assert_eq!(UNLOCKS.load(Ordering::Relaxed), before + 1);
}

#[test]
fn bytes_for_is_enough() {
    let bytes = bitfit::bytes_for(64, 8, 16).unwrap();
    let mut memory = vec![MaybeUninit::uninit(); bytes + 15];
    let pool = Pool::new(&mut memory).unwrap();
    assert!(pool.stats().capacity >= 64 * 16);
    assert_eq!(bitfit::bytes_for(1, 2, 16), None);
    assert_eq!(bitfit::bytes_for(1, 1, 24), None);
}

/// Runs one of the tests below in a process of its own, where it has to end by
/// abort(); returns what it wrote to standard error.
#[cfg(unix)]
fn dying_words(test: &str) -> String {
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert_eq!(output.status.signal(), Some(SIGABRT));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
#[cfg(unix)]
fn misuse_is_named_and_ends_the_program_by_default() {
    let words = dying_words("frees_twice");
    assert!(words.contains("bitfit: double free: bitfit_free_sized(0x"));
}

#[test]
#[ignore = "it ends the program"]
fn frees_twice() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    let block = pool.allocate(layout(1, 1)).unwrap();
    unsafe {
        pool.deallocate(block, layout(1, 1));
        pool.deallocate(block, layout(1, 1));
    }
}

#[test]
#[cfg(unix)]
fn a_panic_in_a_callback_ends_the_program() {
    let words = dying_words("panics_in_a_walk");
    assert!(words.contains("seen enough"));
    assert!(words.contains("a callback of a pool panicked"));
}

#[test]
#[ignore = "it ends the program"]
fn panics_in_a_walk() {
    let mut memory = bytes::<1024>();
    let pool = Pool::new(&mut memory).unwrap();
    let _ = pool.walk(|_| -> ControlFlow<()> { panic!("seen enough") });
}
