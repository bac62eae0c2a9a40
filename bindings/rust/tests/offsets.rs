//! Pools without memory: each promise of `OffsetPool`.

use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::sync::Mutex;

use bitfit::{InitError, Misuse, MisuseKind, Move, OffsetPool, Options, Range};

const KIB: u64 = 1024;

fn by_the_kib() -> Options {
    Options::new().granule(KIB as usize)
}

#[test]
fn offsets_are_the_lowest_that_fit_or_none() {
    let mut books = [MaybeUninit::uninit(); 1024];
    let mut pool = OffsetPool::new(8 * KIB, &mut books, by_the_kib()).unwrap();
    assert_eq!(pool.allocate(2 * KIB), Some(0));
    assert_eq!(pool.allocate(1), Some(2 * KIB));
    assert_eq!(pool.allocate_aligned(4 * KIB, 1), Some(4 * KIB));
    assert_eq!(pool.allocate_aligned(3, 1), None);
    assert!(pool.allocate_at(6 * KIB, KIB));
    assert!(!pool.allocate_at(6 * KIB, KIB));
    assert_eq!(pool.allocate(2 * KIB), None);
    assert!(pool.resize(2 * KIB, 2 * KIB));
    assert!(!pool.resize(2 * KIB, 3 * KIB));
    assert_eq!(pool.size(2 * KIB), 2 * KIB);
    assert_eq!(pool.largest_free(), KIB);
    pool.reset();
    assert_eq!(pool.largest_free(), 8 * KIB);
    assert_eq!(pool.check(), 0);
}

#[test]
fn a_pool_shows_itself_and_its_next_move() {
    let mut books = [MaybeUninit::uninit(); 1024];
    let pool = OffsetPool::new(8 * KIB, &mut books, by_the_kib()).unwrap();
    pool.allocate(2 * KIB);
    pool.allocate(2 * KIB);
    assert_eq!(pool.next_move(None), None);
    pool.free(0);
    let step = Move {
        from: 2 * KIB,
        to: 0,
        size: 2 * KIB,
    };
    assert_eq!(pool.next_move(None), Some(step));
    assert_eq!(pool.next_move(Some(2 * KIB)), None);
    let stats = pool.stats();
    assert_eq!((stats.granule, stats.capacity), (KIB, 8 * KIB));
    assert_eq!((stats.live, stats.blocks, stats.frees), (2 * KIB, 1, 1));
    assert_eq!(format!("{:?}", pool).matches("failures: 0").count(), 1);

    let mut ranges = Vec::new();
    let all = pool.walk(|range| -> ControlFlow<()> {
        ranges.push(range);
        ControlFlow::Continue(())
    });
    assert_eq!(all, ControlFlow::Continue(()));
    let range = |offset, size, live| Range { offset, size, live };
    assert_eq!(
        ranges,
        [
            range(0, 2 * KIB, false),
            range(2 * KIB, 2 * KIB, true),
            range(4 * KIB, 4 * KIB, false),
        ]
    );
    let first = pool.walk(|range| ControlFlow::Break(range.size));
    assert_eq!(first, ControlFlow::Break(2 * KIB));
}

#[test]
fn more_than_a_word_counts_is_served() {
    let options = Options::new().granule(65536);
    let size = 64 << 30;
    let mut books = vec![
        MaybeUninit::uninit();
        OffsetPool::bookkeeping_size(size, &options) + 15
    ];
    let pool = OffsetPool::new(size, &mut books, options).unwrap();
    assert_eq!(pool.allocate((64 << 30) - 65536), Some(0));
    assert_eq!(pool.allocate(1), Some((64 << 30) - 65536));
    assert_eq!(pool.allocate(1), None);
}

#[test]
fn bad_offsets_are_misuse_and_change_nothing() {
    static SEEN: Mutex<Vec<(MisuseKind, u64)>> = Mutex::new(Vec::new());
    fn note(misuse: &Misuse) {
        SEEN.lock().unwrap().push((misuse.kind, misuse.offset));
    }
    let mut books = [MaybeUninit::uninit(); 1024];
    let options = by_the_kib().on_misuse(note);
    let pool = OffsetPool::new(8 * KIB, &mut books, options).unwrap();
    pool.allocate(2 * KIB);
    for offset in [1, KIB, 2 * KIB, 8 * KIB] {
        pool.free(offset);
    }
    assert_eq!(pool.stats().blocks, 1);
    assert_eq!(
        *SEEN.lock().unwrap(),
        [
            (MisuseKind::Misaligned, 1),
            (MisuseKind::Interior, KIB),
            (MisuseKind::DoubleFree, 2 * KIB),
            (MisuseKind::Foreign, 8 * KIB),
        ]
    );
}

#[test]
fn what_cannot_be_made_says_why() {
    let mut books = [MaybeUninit::uninit(); 1024];
    let made = OffsetPool::new(8 * KIB, &mut books[..16], by_the_kib());
    assert_eq!(made.unwrap_err(), InitError::BadBookkeeping);
    let made = OffsetPool::new(KIB - 1, &mut books, by_the_kib());
    assert_eq!(made.unwrap_err(), InitError::TooSmall);
}
