// SPDX-License-Identifier: Apache-2.0

package main

import "runtime"

//go:noinline
func waitDeferred() {
	<-never
}

func panicDeferred() {
	defer waitDeferred()
	panic("in progress")
}

func panicRecovered() {
	defer func() {
		recover()
		waitDeferred()
	}()
	panic("recovered")
}

func panicNested() {
	defer func() {
		defer waitDeferred()
		panic("second")
	}()
	panic("first")
}

func panicNil() {
	defer waitDeferred()
	var nothing *message
	nothing.number++
}

//go:noinline
func divide(a, b int) int {
	return a / b
}

func panicDivide() {
	defer waitDeferred()
	divide(1, zero)
}

var zero int

//go:noinline
func index(values []int, i int) int {
	return values[i]
}

func panicIndex() {
	defer waitDeferred()
	index(nil, zero)
}

func panicMap() {
	defer waitDeferred()
	var nothing map[string]int
	nothing["x"] = 1
}

func panicConversion() {
	defer waitDeferred()
	var value interface{} = 7
	println(value.(string))
}

func panicInlined() {
	defer waitDeferred()
	inlineDereference(nil)
}

func inlineDereference(pointer *message) int { return pointer.number }

// The wrapper that the compiler makes panics itself: the pointer is nil.
func panicWrapper() {
	defer waitDeferred()
	var nothing *failing
	var w interface{ fail() } = nothing
	w.fail()
}

type failing struct{ number int }

//go:noinline
func (f failing) fail() {
	println(f.number)
}

func goexitDeferred() {
	defer waitDeferred()
	runtime.Goexit()
}

func returnedAfterRecover() {
	func() {
		defer func() { recover() }()
		panic("over")
	}()
	waitDeferred()
}

func addPanics() {
	for frame, function := range map[string]func(){
		"main.panicDeferred":        panicDeferred,
		"main.panicRecovered":       panicRecovered,
		"main.panicNested":          panicNested,
		"main.panicNil":             panicNil,
		"main.panicDivide":          panicDivide,
		"main.panicIndex":           panicIndex,
		"main.panicMap":             panicMap,
		"main.panicConversion":      panicConversion,
		"main.panicInlined":         panicInlined,
		"main.panicWrapper":         panicWrapper,
		"main.goexitDeferred":       goexitDeferred,
		"main.returnedAfterRecover": returnedAfterRecover,
	} {
		function := function
		add(frame, "chan receive", func() { go function() })
	}
}
