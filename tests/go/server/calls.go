// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

func callRead(descriptor int) {
	syscall.Read(descriptor, make([]byte, 1))
}

func callReadLocked(descriptor int) {
	runtime.LockOSThread()
	tellThread("main.callReadLocked")
	syscall.Read(descriptor, make([]byte, 1))
}

func callFlock(file *os.File) {
	syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
}

func callWait4(pid int) {
	var status syscall.WaitStatus
	syscall.Wait4(pid, &status, 0, nil)
}

func callNanosleep() {
	for {
		syscall.Nanosleep(&syscall.Timespec{Sec: 3600}, nil)
	}
}

func callEpollWait() {
	descriptor, err := syscall.EpollCreate1(0)
	check(err)
	for {
		syscall.EpollWait(descriptor, make([]syscall.EpollEvent, 1), -1)
	}
}

func callFutex() {
	const waitPrivate = 128
	var word uint32
	for {
		syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&word)), waitPrivate, 0, 0, 0, 0)
	}
}

func callPselect() {
	for {
		syscall.Syscall6(syscall.SYS_PSELECT6, 0, 0, 0, 0, 0, 0)
	}
}

func lockedReceive() {
	runtime.LockOSThread()
	tellThread("main.lockedReceive")
	<-never
}

func lockedSend() {
	runtime.LockOSThread()
	tellThread("main.lockedSend")
	neverTaken <- nil
}

func addCalls() {
	var descriptors [2]int
	check(syscall.Pipe(descriptors[:]))
	file, err := os.CreateTemp("", "whystuck-go-")
	check(err)
	other, err := os.Open(file.Name())
	check(err)
	os.Remove(file.Name())
	check(syscall.Flock(int(other.Fd()), syscall.LOCK_EX))
	kept = append(kept, other)
	add("main.callRead", "syscall", func() { go callRead(descriptors[0]) })
	add("main.callReadLocked", "syscall", func() { go callReadLocked(descriptors[0]) })
	add("main.callFlock", "syscall", func() { go callFlock(file) })
	add("main.callWait4", "syscall", func() {
		reader, writer, err := os.Pipe()
		check(err)
		kept = append(kept, writer)
		process, err := os.StartProcess("/bin/cat", []string{"cat"}, &os.ProcAttr{
			Files: []*os.File{reader, os.Stderr, os.Stderr}})
		check(err)
		go callWait4(process.Pid)
	})
	add("main.callNanosleep", "syscall", func() { go callNanosleep() })
	add("main.callEpollWait", "syscall", func() { go callEpollWait() })
	add("main.callFutex", "syscall", func() { go callFutex() })
	add("main.callPselect", "syscall", func() { go callPselect() })
	add("main.lockedReceive", "chan receive", func() { go lockedReceive() })
	add("main.lockedSend", "chan send", func() { go lockedSend() })
}
