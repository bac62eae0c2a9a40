//! A program whose heap is a pool; this test program is one.

use std::alloc::{self, Layout};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{mpsc, Arc};
use std::thread;

use bitfit::GlobalPool;

const SIZE: usize = 16 << 20;

#[global_allocator]
static HEAP: GlobalPool<SIZE> = GlobalPool::new();

#[test]
fn collections_live_in_the_pool() {
    let numbers: Vec<u32> = (0..10_000).collect();
    let text = "text".repeat(100);
    let map: HashMap<u32, String> =
        (0..1000).map(|i| (i, i.to_string())).collect();
    let tree: BTreeMap<&str, u32> =
        map.iter().map(|(k, v)| (&v[..], *k)).collect();
    assert!(HEAP.pool().owns(numbers.as_ptr()));
    assert!(HEAP.pool().owns(text.as_ptr()));
    assert!(HEAP.pool().owns(map[&7].as_ptr()));
    assert_eq!(tree["999"], 999);
}

#[test]
fn a_vector_that_grows_keeps_its_content() {
    let mut numbers = Vec::new();
    let mut fences = Vec::new();
    for i in 0..20_000u64 {
        numbers.push(i);
        if i % 1000 == 0 {
            fences.push(Box::new(i));
        }
    }
    numbers.shrink_to_fit();
    assert!(numbers.iter().copied().eq(0..20_000));
}

#[test]
fn zeroed_vectors_are_zero() {
    for round in 0..10u8 {
        let mut bytes = vec![0u8; 100_000];
        assert!(bytes.iter().all(|byte| *byte == 0));
        bytes.fill(round + 1);
    }
}

#[test]
fn alignments_of_types_are_kept() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    #[repr(align(256))]
    struct Wide(u8);
    let mut wides = Vec::new();
    for i in 0..100 {
        wides.push(Wide(i));
        assert_eq!(wides.as_ptr() as usize % 256, 0);
    }
    assert_eq!(wides[99], Wide(99));
    let layout = Layout::from_size_align(10, 4096).unwrap();
    unsafe {
        let block = alloc::alloc_zeroed(layout);
        assert_eq!(block as usize % 4096, 0);
        alloc::dealloc(block, layout);
    }
}

#[test]
fn threads_share_the_heap() {
    let (sender, receiver) = mpsc::channel();
    let words = Arc::new(String::from("shared"));
    let workers: Vec<_> = (0..4)
        .map(|id| {
            let (sender, words) = (sender.clone(), Arc::clone(&words));
            thread::spawn(move || {
                for i in 0..2000 {
                    let mut text = String::new();
                    write!(text, "{} {} {}", words, id, i).unwrap();
                    sender.send(text).unwrap();
                }
            })
        })
        .collect();
    drop(sender);
    let received: Vec<String> = receiver.into_iter().collect();
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(received.len(), 8000);
    assert!(received.contains(&String::from("shared 3 1999")));
}

#[test]
fn more_than_the_pool_is_an_error_from_try_reserve() {
    let mut numbers = vec![1u8, 2, 3];
    assert!(numbers.try_reserve(SIZE).is_err());
    assert!(numbers.try_reserve_exact(usize::MAX / 2).is_err());
    assert!(String::new().try_reserve(SIZE).is_err());
    assert!(HashMap::<u64, u64>::new().try_reserve(SIZE).is_err());
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn the_heap_holds_its_invariants() {
    assert_eq!(HEAP.pool().check(), Ok(()));
    let runs: Vec<bitfit::Run> = HEAP.pool().runs().collect();
    assert!(runs.iter().any(|run| run.live));
    let stats = HEAP.pool().stats();
    assert!(stats.live > 0 && stats.capacity < SIZE);
}

#[test]
fn a_pool_too_small_refuses_everything() {
    use std::alloc::GlobalAlloc;
    static NOTHING: GlobalPool<64> = GlobalPool::new();
    let layout = Layout::new::<u8>();
    unsafe {
        assert!(NOTHING.alloc(layout).is_null());
        assert!(NOTHING.alloc_zeroed(layout).is_null());
    }
}
