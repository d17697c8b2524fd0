// SPDX-License-Identifier: Apache-2.0

// Command go-target N has N goroutines that rest, in seven ways; half of them are workers with the
// same stack, as in a server. One more beats every 200 microseconds. It writes "ready", and for
// each line that it reads the longest time between two beats since the last, in nanoseconds.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	work  = make(chan int)
	mutex sync.Mutex
	group sync.WaitGroup
	cond  = sync.NewCond(&sync.Mutex{})
)

//go:noinline
func worker() { <-work }

//go:noinline
func chooser() {
	select {
	case <-work:
	case <-time.After(time.Hour):
	}
}

//go:noinline
func locker() { mutex.Lock() }

//go:noinline
func waiter() { group.Wait() }

//go:noinline
func conditioned() {
	cond.L.Lock()
	cond.Wait()
}

//go:noinline
func sleeper() { time.Sleep(time.Hour) }

//go:noinline
func descender(depth int) {
	if depth == 0 {
		select {}
	}
	descender(depth - 1)
}

var pause int64

func beat() {
	last := time.Now()
	for {
		time.Sleep(200 * time.Microsecond)
		now := time.Now()
		length := int64(now.Sub(last))
		last = now
		for {
			old := atomic.LoadInt64(&pause)
			if length <= old || atomic.CompareAndSwapInt64(&pause, old, length) {
				break
			}
		}
	}
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	mutex.Lock()
	group.Add(1)
	kinds := []func(){chooser, locker, waiter, conditioned, sleeper, func() { descender(20) }}
	for i := 0; i < count; i++ {
		if i%2 == 0 {
			go worker()
		} else {
			go kinds[i/2%len(kinds)]()
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go listener.Accept()
	runtime.GC()
	go beat()
	fmt.Println("ready")
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		fmt.Println(atomic.SwapInt64(&pause, 0))
	}
}
