// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

func missingIn(frame string) []string {
	all := situations
	defer func() { situations = all }()
	for _, s := range all {
		if s.frame == frame {
			situations = []situation{s}
		}
	}
	return missing()
}

func yield() {
	time.Sleep(time.Millisecond)
}

var forever uint64

// movingLoop computes: it has one line, and calls nothing.
//
//go:noinline
func movingLoop() {
	for atomic.LoadUint64(&forever) == 0 {
	}
}

func movingYields() {
	for {
		runtime.Gosched()
	}
}

func addMoving() {
	const moving = "running|runnable"
	add("main.movingLoop", moving, func() {
		go func() {
			runtime.LockOSThread()
			tellThread("main.movingLoop")
			movingLoop()
		}()
	})
	add("main.movingYields", moving, func() { go movingYields() })
}

type finalized struct{ values [100]int }

func finalizerWaits(*finalized) {
	<-never
}

func addFinalizer() {
	add("main.finalizerWaits", "chan receive", func() {})
	object := new(finalized)
	runtime.SetFinalizer(object, finalizerWaits)
	object = nil
	go func() {}()
	runtime.GC()
}

//go:noinline
func neverRan(number int) {
	println(number)
}

//go:noinline
func ranAndYielded(begun *int32) {
	atomic.AddInt32(begun, 1)
	runtime.Gosched()
	println("again")
}

// runnableOnly has one processor, which a loop keeps: nothing else comes to run. Without
// GODEBUG=asyncpreemptoff=1 the runtime would take it away.
func runnableOnly() {
	runtime.GOMAXPROCS(1)
	var begun int32
	for i := 0; i < 4; i++ {
		go ranAndYielded(&begun)
	}
	for atomic.LoadInt32(&begun) < 4 {
		runtime.Gosched()
	}
	for i := 0; i < 4; i++ {
		go neverRan(i)
	}
	line := []byte("{}\n")
	runtime.LockOSThread()
	_, _, failed := syscall.RawSyscall(syscall.SYS_WRITE, 1, address(line), uintptr(len(line)))
	if failed == 0 {
		movingLoop()
	}
}
