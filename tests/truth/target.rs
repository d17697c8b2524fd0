// SPDX-License-Identifier: Apache-2.0
//! Stacks of the shapes that Rust adds: closures, generics, traits, a panic on its way.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

static ARRIVED: AtomicUsize = AtomicUsize::new(0);

fn arrive() {
    ARRIVED.fetch_add(1, Ordering::SeqCst);
}

#[inline(never)]
fn rest() {
    arrive();
    loop {
        thread::sleep(Duration::from_secs(86400));
    }
}

trait Way {
    fn go(&self, depth: u32) -> u32;
}

struct Straight;
struct Around<T>(T);

impl Way for Straight {
    #[inline(never)]
    fn go(&self, depth: u32) -> u32 {
        if depth == 0 {
            rest();
            return 0;
        }
        self.go(depth - 1) + 1
    }
}

impl<T: Way> Way for Around<T> {
    #[inline(never)]
    fn go(&self, depth: u32) -> u32 {
        self.0.go(depth) + 1
    }
}

#[inline(never)]
fn by_trait_object() {
    let way: Box<dyn Way> = Box::new(Around(Around(Straight)));
    println!("{}", way.go(10));
}

#[inline(never)]
fn by_closures() {
    let numbers: Vec<u32> = (0..5).map(|one| one * 2).collect();
    let total: u32 = numbers.iter().map(|one| { rest(); one + 1 }).sum();
    println!("{}", total);
}

#[inline(never)]
fn by_sort() {
    let mut numbers = vec![3, 1, 2];
    numbers.sort_by(|one, other| { rest(); one.cmp(other) });
}

struct Guard;
impl Drop for Guard {
    fn drop(&mut self) {
        rest();
    }
}

/// Waits while a panic passes by.
#[inline(never)]
fn by_panic() {
    let _guard = Guard;
    std::panic::resume_unwind(Box::new("passes by"));
}

#[inline(never)]
fn by_channel() {
    let (sender, receiver) = mpsc::channel::<u32>();
    arrive();
    let _ = receiver.recv();
    drop(sender);
}

#[inline(never)]
fn by_condition() {
    let mutex = Mutex::new(false);
    let condition = Condvar::new();
    let mut guard = mutex.lock().unwrap();
    arrive();
    while !*guard {
        guard = condition.wait(guard).unwrap();
    }
}

fn main() {
    let ways: [fn(); 6] = [by_trait_object, by_closures, by_sort, by_panic, by_channel, by_condition];
    for way in ways {
        thread::spawn(way);
    }
    while ARRIVED.load(Ordering::SeqCst) < ways.len() {
        thread::sleep(Duration::from_millis(1));
    }
    println!("ready");
    rest();
}
