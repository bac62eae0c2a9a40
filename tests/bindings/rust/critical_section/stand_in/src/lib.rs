//! As the crate of this name: the program says what the section is.

#![no_std]

extern "Rust" {
    fn _critical_section_1_0_acquire() -> u32;
    fn _critical_section_1_0_release(before: u32);
}

/// What was before the section was entered.
#[derive(Clone, Copy, Debug)]
pub struct RestoreState(u32);

/// Enters the section.
///
/// # Safety
///
/// `release` gets what this returns, in the order of nesting.
pub unsafe fn acquire() -> RestoreState {
    RestoreState(unsafe { _critical_section_1_0_acquire() })
}

/// Leaves the section.
///
/// # Safety
///
/// As for `acquire`.
pub unsafe fn release(before: RestoreState) {
    unsafe { _critical_section_1_0_release(before.0) }
}
