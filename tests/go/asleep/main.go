// SPDX-License-Identifier: Apache-2.0

// Command asleep MODE has two goroutines that each have the mutex that the other waits for, and
// what MODE says besides. It writes their ids and "ready" once both are parked; its main goroutine
// parks then. Where Go's own detector would end the program, something keeps it from that.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"time"
)

type account struct {
	amount int
	mutex  sync.Mutex
}

//go:noinline
func transfer(from, to *account, locked *sync.WaitGroup, ids chan string) {
	stack := make([]byte, 64)
	runtime.Stack(stack, false)
	from.mutex.Lock()
	defer from.mutex.Unlock()
	ids <- strings.Fields(string(stack))[1]
	locked.Done()
	locked.Wait()
	to.mutex.Lock()
	defer to.mutex.Unlock()
	from.amount--
	to.amount++
}

func untilParked(count int) {
	buffer := make([]byte, 1<<20)
	for parked := 0; parked != count; time.Sleep(time.Millisecond) {
		all := string(buffer[:runtime.Stack(buffer, true)])
		parked = strings.Count(all, "(*Mutex).lockSlow")
	}
}

// ready starts the two, and waits until they are parked.
func ready() {
	var locked sync.WaitGroup
	locked.Add(2)
	ids := make(chan string, 2)
	one, two := new(account), new(account)
	go transfer(one, two, &locked, ids)
	go transfer(two, one, &locked, ids)
	untilParked(2)
	fmt.Println(<-ids, <-ids, "ready")
}

// forEver waits for what only the program itself could write.
func forEver() {
	reader, writer, _ := os.Pipe()
	ready()
	reader.Read(make([]byte, 1))
	writer.Close()
}

func main() {
	switch os.Args[1] {
	case "pipe":
		forEver()
	case "stopped timer":
		time.AfterFunc(time.Hour, func() {}).Stop()
		forEver()
	case "timer":
		time.AfterFunc(time.Hour, func() {})
		forEver()
	case "sleep":
		go func() {
			time.Sleep(time.Hour)
		}()
		forEver()
	case "ticker":
		ticks := time.NewTicker(time.Hour)
		go func() {
			for range ticks.C {
			}
		}()
		forEver()
	case "server":
		listener, _ := net.Listen("tcp", "127.0.0.1:0")
		ready()
		listener.Accept()
	case "signal":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals)
		ready()
		<-signals
	case "busy":
		go func() {
			for {
			}
		}()
		forEver()
	case "input":
		ready()
		os.Stdin.Read(make([]byte, 1))
	default:
		withC(os.Args[1])
	}
}
