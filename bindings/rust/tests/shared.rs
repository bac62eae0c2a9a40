//! Pools that processes share: each promise of `SharedPool`. Another process
//! is this program again, with the file's name in its environment.
#![cfg(unix)]

use std::env;
use std::ffi::c_void;
use std::fs::{self, File, OpenOptions};
use std::os::unix::io::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, Command};
use std::ptr;

use bitfit::{InitError, Options, SharedPool, Slot};

const SIZE: usize = 1 << 16;

extern "C" {
    fn mmap(
        address: *mut c_void,
        size: usize,
        rights: i32,
        flags: i32,
        file: i32,
        from: isize,
    ) -> *mut c_void;
}

#[derive(Clone, Copy)]
struct Node {
    number: u64,
    words: [u32; 5],
}

struct Chain {
    next: Slot<Chain>,
}

/// A file that is gone with its owner, and its memory, which stays mapped.
struct Region {
    path: String,
    memory: *mut u8,
}

fn map(file: &File) -> *mut u8 {
    let (read_write, shared) = (3, 1);
    let memory = unsafe {
        mmap(
            ptr::null_mut(),
            SIZE,
            read_write,
            shared,
            file.as_raw_fd(),
            0,
        )
    };
    assert_ne!(memory as isize, -1);
    memory.cast()
}

impl Region {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!(
            "bitfit-{}-{}.pool",
            name,
            process::id()
        ));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        file.set_len(SIZE as u64).unwrap();
        Region {
            path: path.to_str().unwrap().to_string(),
            memory: map(&file),
        }
    }

    fn pool(&self) -> SharedPool {
        unsafe { SharedPool::init(self.memory, SIZE, Options::new()) }.unwrap()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[test]
fn slots_name_their_blocks() {
    let region = Region::new("slots");
    let pool = region.pool();
    let (a, b) = (pool.root::<Node>(0).unwrap(), pool.root(1).unwrap());
    assert!(pool.root::<Node>(SharedPool::ROOTS).is_none());
    assert!(pool.follow(a).is_none());
    assert!(pool.allocate_zeroed_into(a, 1));
    let node = pool.follow(a).unwrap().as_ptr();
    unsafe {
        assert_eq!((*node).number, 0);
        (*node).words[4] = 9;
    }
    assert!(pool.reallocate_in(a, 200));
    assert!(pool.allocate_into(b, 1));
    let links = (a.link(), b.link());
    pool.swap(a, b);
    assert_eq!((b.link(), a.link()), links);
    assert_eq!(unsafe { (*pool.follow(b).unwrap().as_ptr()).words[4] }, 9);
    assert!(!pool.reallocate_in(b, usize::MAX));
    assert!(!pool.allocate_into(pool.root::<Node>(2).unwrap(), SIZE));
    pool.free_from(b);
    assert_eq!(b.link(), 0);
    assert_eq!((pool.stats().blocks, pool.check()), (1, 0));
    assert!(format!("{:?} {:?}", pool, b).contains("Slot(0)"));
}

#[test]
fn slots_in_blocks_make_chains() {
    let region = Region::new("chain");
    let pool = region.pool();
    let mut slot = pool.root::<Chain>(0).unwrap();
    for _ in 0..3 {
        // A chain is no Copy: as bytes, it is one slot.
        let bytes: &Slot<u64> = unsafe { &*(slot as *const _ as *const _) };
        assert!(pool.allocate_zeroed_into(bytes, 1));
        slot = unsafe { &(*pool.follow(slot).unwrap().as_ptr()).next };
    }
    assert_eq!(pool.stats().blocks, 3);
    let first = pool.root::<Chain>(0).unwrap().link();
    assert_eq!(pool.sweep(|block, size| block == first && size == 16), 2);
    assert_eq!(pool.stats().blocks, 1);
}

/// The other process: attaches, changes, and dies as it is.
#[test]
#[ignore = "it ends the program"]
fn other() {
    let path = env::var("BITFIT_TEST_POOL").unwrap();
    let file = OpenOptions::new().read(true).write(true).open(path);
    let memory = map(&file.unwrap());
    let pool = unsafe { SharedPool::attach(memory, SIZE, false) }.unwrap();
    let number = pool.root::<u64>(0).unwrap();
    unsafe { *pool.follow(number).unwrap().as_ptr() += 1 };
    assert!(pool.allocate_into(pool.root::<u64>(1).unwrap(), 10));
    process::abort();
}

#[test]
fn another_process_finds_it_all_and_may_die() {
    let region = Region::new("process");
    let pool = region.pool();
    let number = pool.root::<u64>(0).unwrap();
    assert!(pool.allocate_into(number, 1));
    unsafe { *pool.follow(number).unwrap().as_ptr() = 6 };
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", "other", "--ignored"])
        .env("BITFIT_TEST_POOL", &region.path)
        .output()
        .unwrap();
    assert_eq!(done.status.signal(), Some(6), "{:?}", done);
    assert_eq!(unsafe { *pool.follow(number).unwrap().as_ptr() }, 7);
    assert_eq!((pool.stats().blocks, pool.repairs()), (2, 0));
    let second = unsafe { SharedPool::attach(region.memory, SIZE, true) };
    assert_eq!(second.unwrap().stats().blocks, 2);
}

#[test]
fn what_cannot_be_opened_says_why() {
    let region = Region::new("nothing");
    let attach = || unsafe { SharedPool::attach(region.memory, SIZE, true) };
    assert_eq!(attach().unwrap_err(), InitError::NoPool);
    let options = Options::new().granule(7);
    let made = unsafe { SharedPool::init(region.memory, SIZE, options) };
    assert_eq!(made.unwrap_err(), InitError::BadGranule);
    let options = Options::new().on_misuse(|_| ());
    let made = unsafe { SharedPool::init(region.memory, SIZE, options) };
    assert_eq!(made.unwrap_err(), InitError::BadOptions);
    region.pool();
    assert!(attach().is_ok());
}
