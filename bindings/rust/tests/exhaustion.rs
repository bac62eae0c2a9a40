//! A program that runs out of its heap, is told so, and goes on. Alone in its
//! program, since every other test would run out too.

use bitfit::GlobalPool;

#[global_allocator]
static HEAP: GlobalPool<{ 1 << 20 }> = GlobalPool::new();

const PIECE: usize = 16 << 10;

/// Pieces of memory until no more is to be had; what the tests' own machinery
/// needs is below a piece, and stays.
fn take_all() -> Vec<Vec<u8>> {
    let mut pieces = Vec::with_capacity(128);
    loop {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(PIECE).is_err() {
            return pieces;
        }
        piece.resize(PIECE, pieces.len() as u8);
        pieces.push(piece);
    }
}

#[test]
fn exhaustion_is_an_error_and_nothing_is_lost() {
    let failures = HEAP.pool().stats().failures;
    let pieces = take_all();
    assert!(pieces.len() > 50);
    assert_eq!(HEAP.pool().stats().failures, failures + 1);
    for (i, piece) in pieces.iter().enumerate() {
        assert!(piece.iter().all(|byte| *byte == i as u8));
    }
    let count = pieces.len();
    drop(pieces);
    assert_eq!(take_all().len(), count, "all of it is to be had again");
    assert_eq!(HEAP.pool().check(), Ok(()));
}
