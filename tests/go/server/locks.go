// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var (
	mutex     sync.Mutex
	readers   sync.RWMutex
	writers   sync.RWMutex
	group     sync.WaitGroup
	condition = sync.NewCond(&sync.Mutex{})
	once      sync.Once
)

func mutexLock() {
	mutex.Lock()
}

func mutexLockInterface(locker sync.Locker) {
	locker.Lock()
}

func rwMutexRLock() {
	readers.RLock()
}

func rwMutexRLocker() {
	readers.RLocker().Lock()
}

func rwMutexLock() {
	writers.Lock()
}

func waitGroupWait() {
	group.Wait()
}

func condWait() {
	condition.L.Lock()
	condition.Wait()
}

func onceRuns() {
	once.Do(func() { <-never })
}

func onceContended() {
	once.Do(func() { panic("the first never ends") })
}

var guarded struct {
	sync.Mutex
	values sync.Map
}

// The lock is inside of a struct, and its method promoted.
func embeddedLock() {
	guarded.Lock()
}

func addLocks() {
	mutex.Lock()
	readers.Lock()
	writers.RLock()
	group.Add(2)
	guarded.Lock()
	addSeveral(2, "main.mutexLock", anyMutex, func() {
		go mutexLock()
		go mutexLock()
	})
	add("main.mutexLockInterface", anyMutex, func() { go mutexLockInterface(&mutex) })
	add("main.rwMutexRLock", "semacquire|sync.RWMutex.RLock", func() { go rwMutexRLock() })
	add("main.rwMutexRLocker", "semacquire|sync.RWMutex.RLock", func() { go rwMutexRLocker() })
	add("main.rwMutexLock", "semacquire|sync.RWMutex.Lock", func() { go rwMutexLock() })
	addSeveral(2, "main.waitGroupWait", "semacquire|sync.WaitGroup.Wait", func() {
		go waitGroupWait()
		go waitGroupWait()
	})
	addSeveral(2, "main.condWait", "sync.Cond.Wait", func() {
		go condWait()
		go condWait()
	})
	add("main.onceRuns", "chan receive", func() {
		begun := make(chan bool)
		go func() {
			close(begun)
			onceRuns()
		}()
		<-begun
	})
	add("main.onceContended", anyMutex, func() {
		for len(missingIn("main.onceRuns")) > 0 {
			yield()
		}
		go onceContended()
	})
	add("main.embeddedLock", anyMutex, func() { go embeddedLock() })
}
