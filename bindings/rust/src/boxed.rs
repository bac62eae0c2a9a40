//! Values that own their block.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

use crate::default_lock::DefaultLock;
use crate::lock::Lock;
use crate::pool::Pool;

/// A value in a pool, as a `Box` is one on the heap: it is dropped, and its
/// block given back, when this is. Made by [`Pool::boxed`] and
/// [`Pool::boxed_slice`].
pub struct PoolBox<'p, T: ?Sized, L: Lock = DefaultLock> {
    value: NonNull<T>,
    pool: &'p Pool<'p, L>,
    owns: PhantomData<T>,
}

// SAFETY: it owns its value, so that this goes where the value may go, and it
// calls the pool from there, so that the pool has to be Sync.
unsafe impl<T: ?Sized + Send, L: Lock + Sync> Send for PoolBox<'_, T, L> {}

// SAFETY: shared, it gives out shared references to the value, nothing else.
unsafe impl<T: ?Sized + Sync, L: Lock + Sync> Sync for PoolBox<'_, T, L> {}

/// Values that own their block.
impl<L: Lock> Pool<'_, L> {
    /// Moves a value into the pool, or gives it back if there is no place.
    ///
    /// # Errors
    ///
    /// The value, if it fits nowhere.
    pub fn boxed<T>(&self, value: T) -> Result<PoolBox<'_, T, L>, T> {
        PoolBox::new(self, value)
    }

    /// A slice of `length` values; `make` gets the index of each. `None` if and
    /// only if it fits nowhere; then `make` was not called.
    pub fn boxed_slice<T>(
        &self,
        length: usize,
        make: impl FnMut(usize) -> T,
    ) -> Option<PoolBox<'_, [T], L>> {
        PoolBox::new_slice(self, length, make)
    }
}

impl<'p, T, L: Lock> PoolBox<'p, T, L> {
    fn new(pool: &'p Pool<'_, L>, value: T) -> Result<Self, T> {
        match pool.allocate(Layout::new::<T>()) {
            None => Err(value),
            Some(block) => {
                let block = block.cast::<T>();
                // SAFETY: the block has the layout of T.
                unsafe { block.as_ptr().write(value) };
                Ok(PoolBox {
                    value: block,
                    pool,
                    owns: PhantomData,
                })
            }
        }
    }
}

impl<'p, T, L: Lock> PoolBox<'p, [T], L> {
    fn new_slice(
        pool: &'p Pool<'_, L>,
        length: usize,
        mut make: impl FnMut(usize) -> T,
    ) -> Option<Self> {
        let mut room = PoolBox::room(pool, length)?;
        let first = room.value.as_ptr().cast::<T>();
        let mut made = Made { first, count: 0 };
        for (i, place) in room.iter_mut().enumerate() {
            place.write(make(i));
            made.count += 1;
        }
        mem::forget(made);
        mem::forget(room);
        Some(PoolBox {
            // SAFETY: it is the same block, and all of it is made.
            value: unsafe { slice_at(first, length) },
            pool,
            owns: PhantomData,
        })
    }
}

impl<'p, T, L: Lock> PoolBox<'p, [MaybeUninit<T>], L> {
    /// Room for a slice.
    fn room(pool: &'p Pool<'_, L>, length: usize) -> Option<Self> {
        let layout = Layout::array::<T>(length).ok()?;
        let first = pool.allocate(layout)?.cast::<MaybeUninit<T>>();
        Some(PoolBox {
            // SAFETY: the block has the layout of the slice.
            value: unsafe { slice_at(first.as_ptr(), length) },
            pool,
            owns: PhantomData,
        })
    }
}

/// # Safety
///
/// `first` is not null.
unsafe fn slice_at<T>(first: *mut T, length: usize) -> NonNull<[T]> {
    let slice = ptr::slice_from_raw_parts_mut(first, length);
    // SAFETY: as above.
    unsafe { NonNull::new_unchecked(slice) }
}

/// The values of a slice so far: dropped if making the next one panics.
struct Made<T> {
    first: *mut T,
    count: usize,
}

impl<T> Drop for Made<T> {
    fn drop(&mut self) {
        let made = ptr::slice_from_raw_parts_mut(self.first, self.count);
        // SAFETY: they are made, and nobody else knows of them.
        unsafe { ptr::drop_in_place(made) };
    }
}

impl<T: ?Sized, L: Lock> Drop for PoolBox<'_, T, L> {
    fn drop(&mut self) {
        let layout = Layout::for_value::<T>(self);
        // SAFETY: the value is owned, and this is the last use of its block,
        // which was made for the value's layout.
        unsafe {
            ptr::drop_in_place(self.value.as_ptr());
            self.pool.deallocate(self.value.cast(), layout);
        }
    }
}

impl<T, L: Lock> PoolBox<'_, T, L> {
    /// Takes the value out and gives the block back.
    pub fn into_inner(self) -> T {
        let this = mem::ManuallyDrop::new(self);
        // SAFETY: the value is moved out, then its block is not used again.
        unsafe {
            let value = this.value.as_ptr().read();
            this.pool.deallocate(this.value.cast(), Layout::new::<T>());
            value
        }
    }
}

impl<T: ?Sized, L: Lock> Deref for PoolBox<'_, T, L> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value is live as long as this.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized, L: Lock> DerefMut for PoolBox<'_, T, L> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the value is live as long as this, and borrowed by nobody.
        unsafe { self.value.as_mut() }
    }
}

impl<T: ?Sized + fmt::Debug, L: Lock> fmt::Debug for PoolBox<'_, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display, L: Lock> fmt::Display for PoolBox<'_, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
