// SPDX-License-Identifier: Apache-2.0

//go:build go1.23
// +build go1.23

package main

import (
	"iter"
	"maps"
)

func numbers(yield func(int) bool) {
	for i := 0; i < 3 && yield(i); i++ {
	}
}

func rangeOverFunction() {
	for range numbers {
		for range numbers {
			<-never
		}
	}
}

func rangeOverMap() {
	for key := range maps.Keys(map[string]int{"a": 1}) {
		println(key, (<-never).number)
	}
}

func blockingNumbers(yield func(int) bool) {
	yield(1)
	<-never
}

// The one goroutine waits in the other, as a coroutine.
func pulled() {
	next, stop := iter.Pull(iter.Seq[int](blockingNumbers))
	defer stop()
	next()
	next()
}

func pulledOnce() {
	next, stop := iter.Pull(iter.Seq[int](numbers))
	defer stop()
	next()
	<-never
}

func init() {
	extra = append(extra, func() {
		add("main.rangeOverFunction", "chan receive", func() { go rangeOverFunction() })
		add("main.rangeOverMap", "chan receive", func() { go rangeOverMap() })
		add("main.blockingNumbers", "chan receive", func() { go pulled() })
		add("main.pulled", "coroutine", func() {})
		add("main.pulledOnce", "chan receive", func() { go pulledOnce() })
	})
}
