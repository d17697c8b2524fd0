// SPDX-License-Identifier: Apache-2.0

// Command storm SECONDS starts and ends 100,000 goroutines a second, of two colours whose calls are
// never mixed: outer, middle, inner of red or of blue. They wait in inner alone. Their stacks are
// used again by those that follow. It writes "ready", and at the end how many it started a second.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	batch    = 1000
	rounds   = 100 // a second
	together = 5
)

// A place is where a goroutine waits, and tells that it is there.
type place struct {
	there, gone sync.WaitGroup
	gate        chan bool
}

// Some stacks grow, so that they move and come from other sizes' lists.
const deep = 12

//go:noinline
func redInner(p *place) {
	p.there.Done()
	<-p.gate
}

//go:noinline
func redMiddle(p *place, depth int) int {
	var room [16]int
	room[depth%16] = depth
	if depth > 0 {
		return redMiddle(p, depth-1) + room[0]
	}
	redInner(p)
	return room[3]
}

func redOuter(p *place, depth int) {
	redMiddle(p, depth)
	p.gone.Done()
}

//go:noinline
func blueInner(p *place) {
	p.there.Done()
	<-p.gate
}

//go:noinline
func blueMiddle(p *place, depth int) int {
	var room [40]int
	room[depth%40] = depth
	if depth > 0 {
		return blueMiddle(p, depth-1) + room[0]
	}
	blueInner(p)
	return room[3]
}

func blueOuter(p *place, depth int) {
	blueMiddle(p, depth)
	p.gone.Done()
}

//go:noinline
func startRed(p *place, count int) {
	for i := 0; i < count; i++ {
		go redOuter(p, i%deep)
	}
}

//go:noinline
func startBlue(p *place, count int) {
	for i := 0; i < count; i++ {
		go blueOuter(p, i%deep)
	}
}

// begin starts a batch, and gives it back when all wait.
func begin(redFirst bool) *place {
	p := &place{gate: make(chan bool)}
	p.there.Add(batch)
	p.gone.Add(batch)
	if redFirst {
		startRed(p, batch/2)
		startBlue(p, batch/2)
	} else {
		startBlue(p, batch/2)
		startRed(p, batch/2)
	}
	return p
}

func end(p *place) {
	p.there.Wait()
	close(p.gate)
	p.gone.Wait()
}

func main() {
	seconds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	began := time.Now()
	var alive []*place
	count := 0
	for elapsed := 0.0; elapsed < float64(seconds); elapsed = time.Since(began).Seconds() {
		if float64(count) >= rounds*elapsed {
			time.Sleep(time.Second / rounds)
			continue
		}
		// What could not be done in time is caught up with.
		alive = append(alive, begin(count%2 == 0))
		count++
		if len(alive) > together {
			end(alive[0])
			alive = alive[1:]
		}
	}
	fmt.Println(int(float64(count*batch) / time.Since(began).Seconds()))
}
