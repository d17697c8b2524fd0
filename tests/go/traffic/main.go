// SPDX-License-Identifier: Apache-2.0

// Command traffic has 64 goroutines that lock four mutexes, always in the same order, some of them
// and again. Who has mutex N is in insideN; who is in passing has let go of all that it locked. It
// writes the addresses of the mutexes, then goes on until its standard input ends.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"os"
	"sync"
	"time"
)

var mutexes [4]sync.Mutex

func rest() {
	if rand.Intn(4) == 0 {
		time.Sleep(time.Duration(rand.Intn(20)) * time.Millisecond)
	}
}

//go:noinline
func hold0() {
	mutexes[0].Lock()
	defer mutexes[0].Unlock()
	inside0()
}

//go:noinline
func hold1() {
	mutexes[1].Lock()
	defer mutexes[1].Unlock()
	inside1()
}

//go:noinline
func hold2() {
	mutexes[2].Lock()
	defer mutexes[2].Unlock()
	inside2()
}

//go:noinline
func hold3() {
	mutexes[3].Lock()
	defer mutexes[3].Unlock()
	inside3()
}

//go:noinline
func inside0() {
	rest()
	hold1()
	rest()
}

//go:noinline
func inside1() {
	rest()
	hold3()
	rest()
}

//go:noinline
func inside2() {
	rest()
	hold3()
	rest()
}

//go:noinline
func inside3() {
	rest()
}

//go:noinline
func passing(mutex *sync.Mutex) {
	mutex.Lock()
	mutex.Unlock()
	time.Sleep(time.Duration(rand.Intn(20)) * time.Millisecond)
}

func main() {
	for i := 0; i < 64; i++ {
		go func() {
			holds := []func(){hold0, hold1, hold2, hold3}
			for {
				holds[rand.Intn(len(holds))]()
				passing(&mutexes[rand.Intn(len(mutexes))])
			}
		}()
	}
	for i := range mutexes {
		fmt.Printf("%p ", &mutexes[i])
	}
	fmt.Println()
	io.Copy(io.Discard, os.Stdin)
}
