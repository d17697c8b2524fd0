// SPDX-License-Identifier: Apache-2.0

// Command server sets goroutines in every kind of wait that Go programs know, makes sure that each
// is where it shall be, and writes a line to standard output: the thread ids of those that are
// locked to their thread, as JSON. From then on nothing moves but what its name says moves.
//
//	server              everything
//	server stack        the same; when all that it writes has been read, it tells by runtime.Stack
//	server runnable     goroutines that do not come to run
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A situation is a goroutine, or several, that get stuck.
type situation struct {
	begin func()
	// frame is in its stack and in no other; states are the words that the runtime may have for it.
	frame, states string
	count         int
}

const anyMutex = "semacquire|sync.Mutex.Lock"

var situations []situation

func add(frame, states string, begin func()) {
	addSeveral(1, frame, states, begin)
}

func addSeveral(count int, frame, states string, begin func()) {
	situations = append(situations, situation{begin, frame, states, count})
}

var (
	threadsLock sync.Mutex
	threads     = map[string]int{}
)

// tellThread notes on which thread a goroutine stays.
func tellThread(name string) {
	threadsLock.Lock()
	threads[name] = syscall.Gettid()
	threadsLock.Unlock()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

var header = regexp.MustCompile(`^goroutine \d+.* \[([^,\]]*).*\]`)

// missing names the situations that are not in place.
func missing() []string {
	text := make([]byte, 1<<22)
	text = text[:runtime.Stack(text, true)]
	counts := make([]int, len(situations))
	for _, stack := range strings.Split(string(text), "\n\n") {
		found := header.FindStringSubmatch(stack)
		if found == nil {
			continue
		}
		state := strings.TrimSuffix(found[1], " (durable)")
		for i, s := range situations {
			if !strings.Contains(stack, "\n"+s.frame+"(") {
				continue
			}
			for _, allowed := range strings.Split(s.states, "|") {
				if state == allowed {
					counts[i]++
				}
			}
		}
	}
	var names []string
	for i, s := range situations {
		if counts[i] != s.count {
			names = append(names, fmt.Sprintf("%s [%s]: %d of %d", s.frame, s.states, counts[i], s.count))
		}
	}
	return names
}

func awaitAll() {
	deadline := time.Now().Add(60 * time.Second)
	for {
		names := missing()
		if len(names) == 0 {
			return
		}
		if time.Now().After(deadline) {
			fmt.Fprintln(os.Stderr, "server: not in place:\n"+strings.Join(names, "\n"))
			os.Exit(1)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// announce writes a line and stays in the same system call: more follows than the pipe holds. So
// this goroutine too is at rest when the line can be read.
func announce() {
	threadsLock.Lock()
	line, err := json.Marshal(threads)
	threadsLock.Unlock()
	check(err)
	block := append(line, '\n')
	block = append(block, make([]byte, 4<<20)...)
	syscall.Write(1, block)
}

// finish gives way to the look, and then tells what it should have seen, where that is asked for.
//
//go:noinline
func finish() {
	announce()
	if len(os.Args) > 1 && os.Args[1] == "stack" {
		text := make([]byte, 1<<24)
		os.Stderr.Write(text[:runtime.Stack(text, true)])
	}
}

func main() {
	runtime.GOMAXPROCS(4)
	debug.SetGCPercent(-1)
	if len(os.Args) > 1 && os.Args[1] == "runnable" {
		runnableOnly()
		return
	}
	addChannels()
	addLocks()
	addNetwork()
	addPipes()
	addCalls()
	addStacks()
	addPanics()
	addMoving()
	for _, add := range extra {
		add()
	}
	for i := range situations {
		situations[i].begin()
	}
	awaitAll()
	// Only a collection notes since when goroutines wait; it also runs the finalizers.
	runtime.GC()
	addFinalizer()
	awaitAll()
	runtime.GC()
	awaitAll()
	finish()
}

// extra holds what only some builds have: cgo, newer versions of the language.
var extra []func()
