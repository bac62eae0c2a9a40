//! A whole program in a fixed pool: threads count the words of a text that they
//! make up, and the main thread adds their counts up. Then the program asks for
//! more than there is, and goes on.
//!
//!     cargo run --example fixed_heap

use std::collections::HashMap;
use std::sync::{Arc, Barrier};
use std::thread;

use bitfit::GlobalPool;

#[global_allocator]
static HEAP: GlobalPool<{ 1 << 20 }> = GlobalPool::new();

const SYLLABLES: [&str; 8] = ["ba", "bi", "fo", "ka", "lu", "mi", "re", "to"];

/// The same words for the same seed.
fn make_text(mut seed: u32, words: usize) -> String {
    let mut text = String::new();
    for _ in 0..words {
        for _ in 0..2 {
            seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            text.push_str(SYLLABLES[(seed >> 20) as usize % SYLLABLES.len()]);
        }
        text.push(' ');
    }
    text
}

fn count_words(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_string()).or_insert(0) += 1;
    }
    counts
}

/// One thread for each seed; when all have made their texts the heap is shown.
fn count_in_threads(seeds: u32) -> Vec<(String, usize)> {
    let texts_made = Arc::new(Barrier::new(seeds as usize + 1));
    let shown = Arc::new(Barrier::new(seeds as usize + 1));
    let workers: Vec<_> = (0..seeds)
        .map(|seed| {
            let (made, shown) = (Arc::clone(&texts_made), Arc::clone(&shown));
            thread::spawn(move || {
                let text = make_text(seed, 10_000);
                made.wait();
                shown.wait();
                count_words(&text)
            })
        })
        .collect();
    texts_made.wait();
    show("with the texts");
    shown.wait();
    let mut totals: HashMap<String, usize> = HashMap::new();
    for worker in workers {
        for (word, count) in worker.join().expect("a worker panicked") {
            *totals.entry(word).or_insert(0) += count;
        }
    }
    let mut sorted: Vec<_> = totals.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted
}

/// Prints a map of the heap, from free to full, and its figures.
fn show(when: &str) {
    const CELLS: usize = 64;
    let stats = HEAP.pool().stats();
    let cell = stats.capacity / CELLS + 1;
    let first = HEAP.pool().runs().next().expect("a run").start.as_ptr();
    let mut live = [0; CELLS];
    for run in HEAP.pool().runs().filter(|run| run.live) {
        let start = run.start.as_ptr() as usize - first as usize;
        for offset in (start..start + run.size).step_by(stats.granule) {
            live[offset / cell] += stats.granule;
        }
    }
    let map: String = live
        .iter()
        .map(|bytes| {
            ['.', '░', '▒', '▓', '█', '█']
                [bytes * 4 / cell + usize::from(*bytes > 0)]
        })
        .collect();
    println!("{:>16} {}", when, map);
    println!(
        "{:>16} {} bytes live in {} blocks, at most {}; {} would fit now",
        "", stats.live, stats.blocks, stats.peak_live, stats.largest_free
    );
}

fn main() {
    show("at the start");
    let words = count_in_threads(4);
    for (word, count) in &words[..5] {
        println!("{:>16} {}", word, count);
    }
    let total: usize = words.iter().map(|(_, count)| count).sum();
    println!("{:>16} words, {} of them different", total, words.len());
    show("with the counts");

    let mut huge: Vec<u64> = Vec::new();
    match huge.try_reserve(1 << 20) {
        Ok(()) => unreachable!("8 MiB do not fit into 1 MiB"),
        Err(error) => println!("8 MiB more? {}", error),
    }
    drop(words);
    show("at the end");
    HEAP.pool().check().expect("a broken heap");
    println!("the heap is sound");
}
