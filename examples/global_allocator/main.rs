//! The allocator at work, with a picture of each step: a character for each
//! smallest block, `.` if it is free, a letter if it is in use.

mod global_allocator;

use global_allocator::{allocate, deallocate, describe, GLOBAL_ALLOCATOR};

fn show(step: &str) {
    let mut picture = [0; 33];
    println!("{:21} {}", step, GLOBAL_ALLOCATOR.pool().draw(&mut picture));
}

fn main() {
    println!("{}", describe());
    show("at the start");
    let first = allocate(32);
    show("first = allocate(32)");
    let second = allocate(64);
    show("second = allocate(64)");
    // SAFETY: no block is used after it was given back.
    unsafe { deallocate(first, 32) };
    show("deallocate(first)");
    let third = allocate(32);
    show("third = allocate(32)");
    println!(
        "third == first: {}",
        if third == first { "yes" } else { "no" }
    );
    // SAFETY: as above.
    unsafe {
        deallocate(second, 64);
        deallocate(third, 32);
    }
}
