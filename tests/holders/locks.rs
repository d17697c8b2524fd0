// SPDX-License-Identifier: Apache-2.0
//! locks SCENE: a thread that waits for what the standard library of Rust has. Nothing there tells
//! who holds a lock.
mod stage;

use stage::{announce, gettid, rest, start};
use std::sync::{mpsc, Condvar, Mutex, Once, RwLock};
use std::thread;

static QUEUE_LOCK: Mutex<u64> = Mutex::new(0);
static FILLED: Condvar = Condvar::new();
static TABLE_LOCK: RwLock<u64> = RwLock::new(0);
static SET_UP: Once = Once::new();

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
