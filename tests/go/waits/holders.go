// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"sync"
)

const (
	onStack        = "has it on its stack"
	channelOnStack = "has the channel on its stack"
	writesBefore   = "is before it, to write"
)

// Since Go 1.22 a function that the compiler makes for a deferred call says so by its name.
func deferred() string {
	var minor int
	fmt.Sscanf(runtime.Version(), "go1.%d", &minor)
	if minor >= 22 {
		return "has deferred a call on it"
	}
	return onStack
}

func waitsForMutex(mutex *sync.Mutex, waiters string) string {
	return fmt.Sprintf("mutex %p (locked, %s; who holds it is not recorded)", mutex, waiters)
}

//go:noinline
func lockTwoDeferred(first, second *sync.Mutex, gate chan bool) {
	first.Lock()
	defer first.Unlock()
	<-gate
	second.Lock()
	defer second.Unlock()
}

//go:noinline
func lockTwo(first, second *sync.Mutex, gate chan bool) {
	first.Lock()
	<-gate
	second.Lock()
	second.Unlock()
	first.Unlock()
}

// crossed has two goroutines that each have the mutex that the other waits for.
func crossed(name, words string, lock func(first, second *sync.Mutex, gate chan bool)) {
	a, b := new(sync.Mutex), new(sync.Mutex)
	gate, open := make(chan bool), make(chan bool)
	close(open)
	one := park(name+" 1", "mutex", waitsForMutex(b, "1 waiter"), func() { lock(a, b, gate) })
	two := park(name+" 2", "mutex", waitsForMutex(a, "1 waiter"), func() { lock(b, a, open) })
	close(gate)
	untilParked(one)
	one.On, two.On = on{two.ID: words}, on{one.ID: words}
}

//go:noinline
func hold(mutex *sync.Mutex, forEver chan int) {
	mutex.Lock()
	<-forEver
	mutex.Unlock()
}

// The mutex is of no more use to it, but its address may be left over on its stack.
//
//go:noinline
func letGo(mutex *sync.Mutex, forEver chan int) {
	mutex.Lock()
	mutex.Unlock()
	<-forEver
}

//go:noinline
func readTwice(lock *sync.RWMutex, gate chan bool) {
	lock.RLock()
	defer lock.RUnlock()
	<-gate
	lock.RLock()
	defer lock.RUnlock()
}

//go:noinline
func receiveThenSend(from, to chan int) {
	to <- <-from
}

func parkWithHolders() {
	crossed("crossed", onStack, lockTwo)
	crossed("crossed, deferred", deferred(), lockTwoDeferred)
	held()
	readLockedTwice()

	there, back := make(chan int), make(chan int)
	one := park("there", "channel-receive", fmt.Sprintf(
		"a value from channel %p (chan int, unbuffered)", there),
		func() { receiveThenSend(there, back) })
	two := park("back", "channel-receive", fmt.Sprintf(
		"a value from channel %p (chan int, unbuffered)", back),
		func() { receiveThenSend(back, there) })
	one.On, two.On = on{two.ID: channelOnStack}, on{one.ID: channelOnStack}
}

func held() {
	mutex, other := new(sync.Mutex), new(sync.Mutex)
	never := make(chan int)
	text := fmt.Sprintf("a value from channel %p (chan int, unbuffered), "+
		"as do 2 other goroutines", never)
	park("let go", "channel-receive", text, func() { letGo(mutex, never) })
	holder := park("holder", "channel-receive", text, func() { hold(mutex, never) })
	waiter := park("held", "mutex", waitsForMutex(mutex, "1 waiter"),
		func() { lockTwo(mutex, other, nil) })
	waiter.On = on{holder.ID: onStack}

	// Too many may hold it.
	many := new(sync.Mutex)
	for i := 0; i < 9; i++ {
		forEver := make(chan int)
		park(fmt.Sprint("one of many ", i), "channel-receive", fmt.Sprintf(
			"a value from channel %p (chan int, unbuffered)", forEver),
			func() { useLater(many, forEver) })
	}
	many.Lock()
	waiter = park("of many", "mutex", waitsForMutex(many, "1 waiter"),
		func() { lockTwo(many, other, nil) })
	waiter.On = on{}
	park("let go 2", "channel-receive", text, func() { letGo(other, never) })
}

//go:noinline
func useLater(mutex *sync.Mutex, forEver chan int) {
	<-forEver
	mutex.Lock()
}

// readLockedTwice has a goroutine that waits behind one that waits for it.
func readLockedTwice() {
	lock := new(sync.RWMutex)
	gate := make(chan bool)
	reader := park("reader again", "rwlock", fmt.Sprintf("a read-write lock, to read: %p "+
		"(1 reader has it, and a goroutine that is before this one waits to write; "+
		"who holds it is not recorded)", lock), func() { readTwice(lock, gate) })
	writer := park("writer", "rwlock", fmt.Sprintf("a read-write lock, to write: %p "+
		"(1 reader has it; who holds it is not recorded)", lock), func() { lock.Lock() })
	close(gate)
	untilParked(reader)
	writer2 := park("second writer", "rwlock", fmt.Sprintf("a read-write lock, to write: %p "+
		"(another goroutine has it to write, or is the next to; "+
		"who holds it is not recorded)", lock), func() { lock.Lock() })
	reader.On = on{writer.ID: writesBefore}
	writer2.On = on{writer.ID: writesBefore}
	if deferred() == onStack {
		writer.On = on{} // that it waits for the lock itself is all that is seen
	} else {
		writer.On = on{reader.ID: deferred()}
	}
}
