// SPDX-License-Identifier: Apache-2.0

//go:build go1.18
// +build go1.18

package main

type stack[T any] struct {
	values  []T
	channel chan T
}

//go:noinline
func (s *stack[T]) pop() T {
	return <-s.channel
}

//go:noinline
func receiveFrom[T any](channel chan T) T {
	return <-channel
}

func transform[From, To any](values []From, f func(From) To) []To {
	var results []To
	for _, value := range values {
		results = append(results, f(value))
	}
	return results
}

type constrained interface{ ~int | ~string }

func genericClosure[T constrained](value T) {
	func() {
		receiveFrom(make(chan T))
	}()
}

func genericFunction() { receiveFrom(make(chan []string)) }
func genericMethod()   { (&stack[message]{}).popNever() }
func genericInline() {
	transform([]int{1}, func(int) string { <-never; return "" })
}
func genericPointer() { receiveFrom(make(chan *stack[map[string]int])) }
func genericInterface() {
	var popper interface{ pop() int } = &stack[int]{channel: make(chan int)}
	popper.pop()
}

func (s *stack[T]) popNever() T {
	s.channel = make(chan T)
	return s.pop()
}

func init() {
	extra = append(extra, func() {
		for frame, function := range map[string]func(){
			"main.genericFunction":  genericFunction,
			"main.genericMethod":    genericMethod,
			"main.genericInline":    genericInline,
			"main.genericPointer":   genericPointer,
			"main.genericInterface": genericInterface,
		} {
			function := function
			add(frame, "chan receive", func() { go function() })
		}
		addSeveral(2, "main.genericClosure[...]", "chan receive", func() {
			go genericClosure(1)
			go genericClosure("one")
		})
		addSeveral(3, "main.(*stack[...]).pop", "chan receive", func() {
			go (&stack[float64]{channel: make(chan float64)}).pop()
		})
	})
}
