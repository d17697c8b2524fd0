// SPDX-License-Identifier: Apache-2.0
//! locks SCENE: a thread that waits for what the crate parking_lot has, which records no holder in
//! any of it that can be told.
mod stage; // tests/holders/stage.rs

use parking_lot::{Condvar, Mutex, Once, RwLock};
use stage::{announce, rest, start};

static QUEUE_LOCK: Mutex<u64> = Mutex::new(0);
static FILLED: Condvar = Condvar::new();
static TABLE_LOCK: RwLock<u64> = RwLock::new(0);
static SET_UP: Once = Once::new();

fn main() {
    match std::env::args().nth(1).unwrap().as_str() {
        "mutex" => {
            announce(start(|reached| {
                let _held = QUEUE_LOCK.lock();
                reached();
                rest();
            }));
            drop(QUEUE_LOCK.lock());
        }
        "condition" => {
            let mut queue = QUEUE_LOCK.lock();
            announce(0);
            FILLED.wait(&mut queue);
        }
        "read" => {
            announce(start(|reached| {
                let _held = TABLE_LOCK.write();
                reached();
                rest();
            }));
            drop(TABLE_LOCK.read());
        }
        "write" => {
            announce(start(|reached| {
                let _held = TABLE_LOCK.read();
                reached();
                rest();
            }));
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
        _ => (),
    }
}
