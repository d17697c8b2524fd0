// SPDX-License-Identifier: Apache-2.0
//! locks SCENE: a thread that waits for what the crate parking_lot has, which records no holder in
//! any of it that can be told.
use parking_lot::{Condvar, Mutex, Once, RwLock};
use std::io::Write;
use std::sync::mpsc;
use std::thread;

extern "C" {
    fn gettid() -> i32;
    fn pause() -> i32;
}

#[cfg(target_arch = "x86_64")]
const SYS_FUTEX: i32 = 202;
#[cfg(target_arch = "aarch64")]
const SYS_FUTEX: i32 = 98;

static QUEUE_LOCK: Mutex<u64> = Mutex::new(0);
static FILLED: Condvar = Condvar::new();
static TABLE_LOCK: RwLock<u64> = RwLock::new(0);
static SET_UP: Once = Once::new();

fn rest() -> ! {
    loop {
        unsafe { pause() };
    }
}

fn announce() {
    println!(
        "{{\"pid\": {}, \"tid\": {}, \"syscall\": {}}}",
        std::process::id(),
        unsafe { gettid() },
        SYS_FUTEX
    );
    std::io::stdout().flush().unwrap();
}

/// Starts a thread that does `body` and rests then; comes back once it has got there.
fn start(body: impl FnOnce(&dyn Fn()) + Send + 'static) {
    let (told, tell) = mpsc::channel();
    thread::spawn(move || {
        body(&|| told.send(()).unwrap());
        rest();
    });
    tell.recv().unwrap()
}

fn main() {
    match std::env::args().nth(1).unwrap().as_str() {
        "mutex" => {
            start(|reached| {
                let _held = QUEUE_LOCK.lock();
                reached();
                rest();
            });
            announce();
            drop(QUEUE_LOCK.lock());
        }
        "condition" => {
            let mut queue = QUEUE_LOCK.lock();
            announce();
            FILLED.wait(&mut queue);
        }
        "read" => {
            start(|reached| {
                let _held = TABLE_LOCK.write();
                reached();
                rest();
            });
            announce();
            drop(TABLE_LOCK.read());
        }
        "write" => {
            start(|reached| {
                let _held = TABLE_LOCK.read();
                reached();
                rest();
            });
            announce();
            drop(TABLE_LOCK.write());
        }
        "once" => {
            start(|reached| {
                SET_UP.call_once(|| {
                    reached();
                    rest();
                })
            });
            announce();
            SET_UP.call_once(|| ());
        }
        _ => (),
    }
}
