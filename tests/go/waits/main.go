// SPDX-License-Identifier: Apache-2.0

// Command waits has a goroutine for each kind of wait. Once all of them are parked it says what
// each waits for, in whystuck's words, with addresses that it knows by itself: a JSON object a
// line, {"name", "id", "kind", "text", "on"}, then an empty line. What it can't know of a text
// follows after a space; "on" are the goroutines to be named as those that may end the wait, by
// their words, null where that is not told. It ends when its standard input does.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

type wait struct {
	Name string `json:"name"`
	ID   int    `json:"id"`
	Kind string `json:"kind"`
	Text string `json:"text"`
	On   on     `json:"on"`
}

// on has words for each goroutine, by its id.
type on map[int]string

var (
	waits  []*wait
	noting sync.Mutex
)

func stacks(all bool) string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, all)])
}

func ownID() (id int) {
	fmt.Sscanf(stacks(false), "goroutine %d ", &id)
	return id
}

// park starts a goroutine that is to wait in f, which ends the program if it comes back.
func park(name, kind, text string, f func()) *wait {
	noted := make(chan bool)
	go func() {
		noting.Lock()
		waits = append(waits, &wait{name, ownID(), kind, text, nil})
		noting.Unlock()
		close(noted)
		f()
		fmt.Fprintln(os.Stderr, name, "came back")
		os.Exit(1)
	}()
	<-noted
	untilParked(waits[len(waits)-1])
	return waits[len(waits)-1]
}

// untilParked waits until the runtime's own traceback says that the goroutine is parked.
func untilParked(w *wait) {
	for header := fmt.Sprintf("goroutine %d [", w.ID); ; time.Sleep(time.Millisecond) {
		for _, stack := range strings.Split(stacks(true), "\n\n") {
			if !strings.HasPrefix(stack, header) {
				continue
			}
			state := strings.SplitN(stack[len(header):], "]", 2)[0]
			inSyscall := w.Name == "syscall" && strings.HasPrefix(state, "syscall")
			parked := !strings.HasPrefix(state, "run") && !strings.HasPrefix(state, "syscall")
			// What parks a goroutine for another reason on its way is not meant.
			if inSyscall || (parked && !strings.HasPrefix(state, "GC ")) {
				return
			}
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	parkOnChannels()
	parkInSelects()
	parkOnLocks()
	parkOnDescriptors()
	parkWithHolders()
	park("sleep", "sleep", "sleeps until ", func() { time.Sleep(time.Hour) })
	var line bytes.Buffer
	for _, w := range waits {
		check(json.NewEncoder(&line).Encode(w))
	}
	fmt.Println(line.String())
	io.Copy(io.Discard, os.Stdin)
}

// Since Go 1.23 a channel knows its timer.
func hasTimerChannels() bool {
	var minor int
	fmt.Sscanf(runtime.Version(), "go1.%d", &minor)
	return minor >= 23
}

func parkOnChannels() {
	unbuffered := make(chan int)
	park("receive", "channel-receive", fmt.Sprintf(
		"a value from channel %p (chan int, unbuffered)", unbuffered), func() { <-unbuffered })

	requests := make(chan *http.Request, 10)
	text := fmt.Sprintf("a value from channel %p (chan *http.Request, 0 of 10 buffered), "+
		"as do 2 other goroutines", requests)
	for i := 0; i < 3; i++ {
		park(fmt.Sprint("receive with others ", i), "channel-receive", text,
			func() { <-requests })
	}

	send := make(chan string)
	park("send", "channel-send", fmt.Sprintf(
		"a receiver on channel %p (chan string, unbuffered)", send), func() { send <- "x" })

	full := make(chan []map[string]error, 2)
	full <- nil
	full <- nil
	text = fmt.Sprintf("room in channel %p (chan []map[string]error, 2 of 2 buffered), "+
		"as does 1 other goroutine", full)
	for i := 0; i < 2; i++ {
		park(fmt.Sprint("send to full ", i), "channel-send", text, func() { full <- nil })
	}

	signal := make(chan struct{})
	park("struct", "channel-receive", fmt.Sprintf(
		"a value from channel %p (chan struct {}, unbuffered)", signal), func() { <-signal })

	var none chan int
	park("receive from nil", "channel-receive", "a value from a nil channel: for ever",
		func() { <-none })
	park("send to nil", "channel-send", "a receiver on a nil channel: for ever",
		func() { none <- 1 })

	later := time.After(time.Hour)
	if hasTimerChannels() {
		park("timer", "timer", fmt.Sprintf(
			"the timer of channel %p (chan time.Time) to fire in 59 min ", later),
			func() { <-later })
	} else {
		park("timer", "channel-receive", fmt.Sprintf(
			"a value from channel %p (chan time.Time, 0 of 1 buffered)", later),
			func() { <-later })
	}
}

func parkInSelects() {
	in, out := make(chan int), make(chan string)
	receives := fmt.Sprintf("a value from channel %p (chan int, unbuffered)", in)
	sends := fmt.Sprintf("a receiver on channel %p (chan string, unbuffered)", out)
	first, second := receives, sends
	if *(*uintptr)(unsafe.Pointer(&out)) < *(*uintptr)(unsafe.Pointer(&in)) {
		first, second = sends, receives
	}
	park("select", "channel-select", "the first of 2: "+first+"; "+second, func() {
		select {
		case <-in:
		case out <- "x":
		}
	})

	both := make(chan int)
	side := fmt.Sprintf("channel %p (chan int, unbuffered)", both)
	park("select on both sides", "channel-select", "the first of 2: a value from "+side+
		"; a receiver on "+side, func() {
		select {
		case <-both:
		case both <- 1:
		}
	})
	var none chan int
	park("select of nil", "channel-select",
		"waits without end: its select has no channel that is not nil", func() {
			select {
			case <-none:
			case none <- 1:
			}
		})
	park("select of nothing", "channel-select", "waits without end: its select has no cases",
		func() { select {} })
}

var (
	globalMutex sync.Mutex
	kept        []io.Closer // the garbage collector would close what nobody has
)

func parkOnLocks() {
	mutex := new(sync.Mutex)
	mutex.Lock()
	text := fmt.Sprintf("mutex %p (locked, 2 waiters; who holds it is not recorded), "+
		"as does 1 other goroutine", mutex)
	for i := 0; i < 2; i++ {
		park(fmt.Sprint("mutex ", i), "mutex", text, mutex.Lock)
	}

	globalMutex.Lock()
	park("global mutex", "mutex", fmt.Sprintf(
		"mutex main.globalMutex (%p, locked, 1 waiter; who holds it is not recorded)",
		&globalMutex), globalMutex.Lock)

	written := new(sync.RWMutex)
	written.Lock()
	park("read lock", "rwlock", fmt.Sprintf("a read-write lock, to read: %p "+
		"(it is locked to write; who holds it is not recorded)", written), written.RLock)
	park("write lock's turn", "rwlock", fmt.Sprintf("a read-write lock, to write: %p "+
		"(another goroutine has it to write, or is the next to; "+
		"who holds it is not recorded)", written), written.Lock)

	read := new(sync.RWMutex)
	read.RLock()
	read.RLock()
	park("write lock", "rwlock", fmt.Sprintf("a read-write lock, to write: %p "+
		"(2 readers have it; who holds it is not recorded)", read), read.Lock)
	park("read lock behind", "rwlock", fmt.Sprintf("a read-write lock, to read: %p "+
		"(2 readers have it, and a goroutine that is before this one waits to write; "+
		"who holds it is not recorded)", read), read.RLock)

	group := new(sync.WaitGroup)
	group.Add(3)
	park("wait group", "wait-group", fmt.Sprintf("wait group %p (3 still to be done)", group),
		group.Wait)

	lock := new(sync.Mutex)
	condition := sync.NewCond(lock)
	text = fmt.Sprintf("condition variable %p, as do 2 other goroutines", condition)
	for i := 0; i < 3; i++ {
		park(fmt.Sprint("condition ", i), "condition", text, func() {
			lock.Lock()
			condition.Wait()
		})
	}

	once := new(sync.Once)
	never := make(chan int)
	inside := park("in once", "channel-receive", fmt.Sprintf(
		"a value from channel %p (chan int, unbuffered)", never),
		func() { once.Do(func() { <-never }) })
	outside := park("once", "once", fmt.Sprintf(
		"another goroutine to finish what is done once: %p", once),
		func() { once.Do(func() {}) })
	outside.On = on{inside.ID: deferred()}
}

func parkOnDescriptors() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	address := listener.Addr().String()
	client, err := net.Dial("tcp", address)
	check(err)
	server, err := listener.Accept()
	check(err)
	park("accept", "socket-accept", fmt.Sprintf(
		"a client to connect to TCP %s (listening, 0 of ", address),
		func() { listener.Accept() })
	park("read", "socket-receive", fmt.Sprintf(
		"data on TCP %v from %v of itself", client.LocalAddr(), client.RemoteAddr()),
		func() { client.Read(make([]byte, 1)) })
	park("write", "socket-send", fmt.Sprintf(
		"room to send on TCP %v to %v of itself (", client.LocalAddr(), client.RemoteAddr()),
		func() {
			for piece := make([]byte, 1<<20); ; {
				client.Write(piece)
			}
		})
	kept = append(kept, listener, client, server)

	reader, writer, err := os.Pipe()
	check(err)
	park("pipe", "pipe-read", "data on the pipe from itself",
		func() { reader.Read(make([]byte, 1)) })
	kept = append(kept, reader, writer)
}
