// SPDX-License-Identifier: Apache-2.0
//! locks SCENE: a thread that waits for what the standard library of Rust has. Nothing there tells
//! who holds a lock.
use std::io::Write;
use std::sync::{mpsc, Condvar, Mutex, Once, RwLock};
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

fn announce(holder: i32) {
    println!(
        "{{\"pid\": {}, \"tid\": {}, \"holder\": {}, \"syscall\": {}}}",
        std::process::id(),
        unsafe { gettid() },
        holder,
        SYS_FUTEX
    );
    std::io::stdout().flush().unwrap();
}

/// Starts a thread that does `body` and rests then, once it has got there.
fn start(body: impl FnOnce(&dyn Fn()) + Send + 'static) -> i32 {
    let (told, tell) = mpsc::channel();
    thread::spawn(move || {
        body(&|| told.send(unsafe { gettid() }).unwrap());
        rest();
    });
    tell.recv().unwrap()
}

fn main() {
    let scene = std::env::args().nth(1).unwrap();
    match scene.as_str() {
        "mutex" => {
            announce(start(|reached| {
                let _held = QUEUE_LOCK.lock().unwrap();
                reached();
                rest();
            }));
            drop(QUEUE_LOCK.lock());
        }
        "condition" => {
            announce(0);
            drop(FILLED.wait(QUEUE_LOCK.lock().unwrap()));
        }
        "read" => {
            announce(start(|reached| {
                let _held = TABLE_LOCK.write().unwrap();
                reached();
                rest();
            }));
            drop(TABLE_LOCK.read());
        }
        "write" => {
            for last in [false, true] {
                let holder = start(|reached| {
                    let _held = TABLE_LOCK.read().unwrap();
                    reached();
                    rest();
                });
                if last {
                    announce(holder);
                }
            }
            drop(TABLE_LOCK.write());
        }
        "once" => {
            announce(start(|reached| {
                SET_UP.call_once(|| {
                    reached();
                    rest();
                })
            }));
            SET_UP.call_once(|| ());
        }
        "park" => {
            announce(0);
            thread::park();
        }
        "channel" => {
            let (_sender, receiver) = mpsc::channel::<u64>();
            announce(0);
            let _ = receiver.recv();
        }
        "join" => {
            let (told, tell) = mpsc::channel();
            let thread = thread::spawn(move || {
                told.send(unsafe { gettid() }).unwrap();
                rest();
            });
            announce(tell.recv().unwrap());
            let _ = thread.join();
        }
        _ => (),
    }
}
