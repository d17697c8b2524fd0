// SPDX-License-Identifier: Apache-2.0
//! What the programs in Rust set their scenes with.
use std::io::Write;
use std::sync::mpsc;
use std::thread;

extern "C" {
    pub fn gettid() -> i32;
    fn pause() -> i32;
}

#[cfg(target_arch = "x86_64")]
const SYS_FUTEX: i32 = 202;
#[cfg(target_arch = "aarch64")]
const SYS_FUTEX: i32 = 98;

pub fn rest() -> ! {
    loop {
        unsafe { pause() };
    }
}

pub fn announce(holder: i32) {
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
pub fn start(body: impl FnOnce(&dyn Fn()) + Send + 'static) -> i32 {
    let (told, tell) = mpsc::channel();
    thread::spawn(move || {
        body(&|| told.send(unsafe { gettid() }).unwrap());
        rest();
    });
    tell.recv().unwrap()
}
