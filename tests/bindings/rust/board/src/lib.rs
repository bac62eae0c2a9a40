//! A program for a Cortex-M3 with a heap of 2 KiB. C's start, `puts` and `abort`
//! are all that it takes from outside. It puts "board: ok".

#![no_std]

use core::arch::asm;
use core::panic::PanicInfo;

use bitfit::GlobalPool;

#[cfg(feature = "critical-section")]
bitfit::critical_section!();

/// Without the feature this has no lock, and so does not compile.
static HEAP: GlobalPool<2048> = GlobalPool::new();

extern "C" {
    fn puts(text: *const u8) -> i32;
    fn abort() -> !;
}

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    unsafe { abort() }
}

/// Whether interrupts are kept out.
fn masked() -> u32 {
    let primask: u32;
    unsafe { asm!("mrs {}, PRIMASK", out(reg) primask) };
    primask
}

#[no_mangle]
fn _critical_section_1_0_acquire() -> u32 {
    let before = masked();
    unsafe { asm!("cpsid i") };
    before
}

#[no_mangle]
fn _critical_section_1_0_release(before: u32) {
    if before == 0 {
        unsafe { asm!("cpsie i") };
    }
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let all = HEAP.free();
    let squares = HEAP.pool().boxed_slice(10, |i| i * i).unwrap();
    assert_eq!(squares.iter().sum::<usize>(), 285);
    assert!(HEAP.pool().boxed([0u8; 2048]).is_err());
    assert_eq!(HEAP.used(), 48);
    drop(squares);
    assert_eq!(HEAP.free(), all);
    assert_eq!(masked(), 0);
    unsafe { puts(b"board: ok\0".as_ptr()) };
    0
}
