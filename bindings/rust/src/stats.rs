//! What a pool tells of itself.

/// A consistent snapshot of a pool. All sizes are bytes of whole granules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(C)]
pub struct Stats {
    /// Bytes of one granule.
    pub granule: usize,
    /// Bytes that are handed out in all.
    pub capacity: usize,
    /// Bytes of the bookkeeping, lock included.
    pub bookkeeping: usize,
    /// Bytes in blocks.
    pub live: usize,
    /// Bytes in holes.
    pub free: usize,
    /// Live blocks.
    pub blocks: usize,
    /// The largest request that would succeed now; exact.
    pub largest_free: usize,
    /// The end of the highest byte ever in a block.
    pub high_water: usize,
    /// The most bytes ever in blocks at one time.
    pub peak_live: usize,
    /// The largest block ever.
    pub largest_block: usize,
    /// Calls that made a new block, moves not counted.
    pub allocations: u64,
    /// Blocks given back, moves not counted.
    pub frees: u64,
    /// Changes of size that succeeded.
    pub reallocations: u64,
    /// Requests refused.
    pub failures: u64,
}

/// The same of an [`OffsetPool`](crate::OffsetPool): 64 bits on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(C)]
pub struct OffsetStats {
    /// Bytes of one granule.
    pub granule: u64,
    /// Bytes that are handed out in all.
    pub capacity: u64,
    /// Bytes of the bookkeeping, lock included.
    pub bookkeeping: u64,
    /// Bytes in blocks.
    pub live: u64,
    /// Bytes in holes.
    pub free: u64,
    /// Live blocks.
    pub blocks: u64,
    /// The largest request that would succeed now; exact.
    pub largest_free: u64,
    /// The end of the highest byte ever in a block.
    pub high_water: u64,
    /// The most bytes ever in blocks at one time.
    pub peak_live: u64,
    /// The largest block ever.
    pub largest_block: u64,
    /// Calls that made a new block.
    pub allocations: u64,
    /// Blocks given back.
    pub frees: u64,
    /// Changes of size that succeeded.
    pub reallocations: u64,
    /// Requests refused.
    pub failures: u64,
}
