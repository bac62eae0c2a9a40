//! The lock where none is chosen.

#[cfg(all(target_os = "none", feature = "critical-section"))]
use crate::critical_section::CriticalSection;
#[cfg(not(target_os = "none"))]
use crate::lock::Mutex;
#[cfg(all(target_os = "none", not(feature = "critical-section")))]
use crate::lock::NoLock;

/// The lock of a pool for which none is chosen: the platform's mutex.
#[cfg(not(target_os = "none"))]
pub type DefaultLock = Mutex;

/// The lock of a pool for which none is chosen: on a board, the critical
/// section.
#[cfg(all(target_os = "none", feature = "critical-section"))]
pub type DefaultLock = CriticalSection;

/// The lock of a pool for which none is chosen: on a board, none.
#[cfg(all(target_os = "none", not(feature = "critical-section")))]
pub type DefaultLock = NoLock;
