//! A program of `core` and bitfit alone: no std, no alloc. C's start, `puts` and
//! `abort` are all that it takes from the system. It puts "285 true true".

#![no_std]
#![no_main]

use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use bitfit::Pool;

#[link(name = "c")]
extern "C" {
    fn puts(text: *const u8) -> i32;
    fn abort() -> !;
}

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    unsafe { abort() }
}

/// A text of C's in a block of the pool.
struct Text<'a> {
    bytes: &'a mut [u8],
    length: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = self.length + more.len();
        // The last byte stays 0.
        if end >= self.bytes.len() {
            return Err(fmt::Error);
        }
        self.bytes[self.length..end].copy_from_slice(more.as_bytes());
        self.length = end;
        Ok(())
    }
}

fn run() -> Option<i32> {
    let mut memory = [MaybeUninit::uninit(); 1024];
    let pool = Pool::new(&mut memory).ok()?;
    let squares = pool.boxed_slice(10, |i| i * i)?;
    let refused = pool.boxed([0u8; 1024]).is_err();
    let mut bytes = pool.boxed([0u8; 64]).ok()?;
    let mut text = Text {
        bytes: &mut bytes[..],
        length: 0,
    };
    let sum: usize = squares.iter().sum();
    let owned = pool.owns(&squares[9]);
    write!(text, "{} {} {}", sum, owned, refused).ok()?;
    Some(unsafe { puts(bytes.as_ptr()) })
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    match run() {
        Some(result) if result >= 0 => 0,
        _ => 1,
    }
}
