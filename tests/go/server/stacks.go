// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"reflect"
	"runtime/pprof"
	"sort"
)

//go:noinline
func recurse(depth int) int {
	if depth == 0 {
		<-never
		return 0
	}
	return recurse(depth-1) + depth
}

func deepRecursion() {
	recurse(70)
}

func deeperRecursion() {
	recurse(300)
}

// Whether these are inlined is the compiler's choice: the runtime says which are.
func inlineInner(channel chan message) message { return <-channel }
func inlineMiddle(channel chan message) message {
	return inlineInner(channel)
}
func inlineOuter() message { return inlineMiddle(never) }

func inlined() {
	inlineOuter()
}

//go:noinline
func manyArguments(a, b, c, d, e, f, g, h, i, j, k, l int, m string, n []byte, o float64, p interface{}) int {
	<-never
	return a + b + c + d + e + f + g + h + i + j + k + l + len(m) + len(n) + int(o)
}

func callsManyArguments() {
	manyArguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "m", nil, 1.5, 16)
}

//go:noinline
func variadic(values ...interface{}) {
	<-never
}

func callsVariadic() {
	variadic(1, "two", 3.0)
}

//go:noinline
func bigFrame() byte {
	var block [200000]byte
	fill(&block)
	<-never
	return block[17]
}

//go:noinline
func fill(block *[200000]byte) {
	for i := range block {
		block[i] = byte(i)
	}
}

type waiter interface {
	wait()
	waitOn(channel chan message, name string)
}

type station struct {
	channel chan message
}

//go:noinline
func (s *station) wait() {
	<-s.channel
}

//go:noinline
func (s station) waitOn(channel chan message, name string) {
	<-channel
}

type line struct {
	waiter
	name string
}

type valueStation struct{ channel chan message }

//go:noinline
func (s valueStation) waitByValue() {
	<-s.channel
}

func methodPointer() { (&station{never}).wait() }

// A wrapper, made by the compiler, calls the method of the embedded interface.
func methodEmbedded() {
	var w waiter = &line{&station{never}, "line"}
	w.wait()
}

func methodEmbeddedArguments() {
	var w waiter = line{&station{never}, "line"}
	w.waitOn(never, "embedded")
}

// A pointer's wrapper for a method of the value.
func methodOfValue() {
	var w interface{ waitByValue() } = &valueStation{never}
	w.waitByValue()
}

func methodValue() {
	f := (&station{never}).wait
	f()
}

func methodExpression() {
	f := (*station).wait
	f(&station{never})
}

func closureNested() {
	channel := never
	func() {
		defer func() { println("never") }()
		func() {
			<-channel
		}()
	}()
}

func reflectCall() {
	reflect.ValueOf(&station{never}).MethodByName("Exported").Call(nil)
}

// Exported is found by its name.
func (s *station) Exported() {
	<-s.channel
}

func reflectCallFunction() {
	reflect.ValueOf(variadic).Call([]reflect.Value{reflect.ValueOf(1), reflect.ValueOf("two")})
}

func reflectMadeFunction() {
	made := reflect.MakeFunc(reflect.TypeOf(func(int) int { return 0 }),
		func(arguments []reflect.Value) []reflect.Value {
			<-never
			return arguments
		})
	made.Interface().(func(int) int)(7)
}

func sortCallback() {
	sort.Slice([]int{2, 1}, func(i, j int) bool {
		<-never
		return i < j
	})
}

func deferredOnReturn() {
	defer func() {
		<-never
	}()
}

func deferredInLoop() {
	for i := 0; i < 3; i++ {
		defer func(number int) {
			<-never
		}(i)
	}
}

func labelled() {
	pprof.Do(context.Background(), pprof.Labels("request", "7", "user", "a b"), func(context.Context) {
		<-never
	})
}

func startedInInit() {
	<-never
}

func init() {
	go startedInInit()
}

//go:noinline
func waitsInLiteral() {
	<-never
}

var literal = func() {
	waitsInLiteral()
}

func addStacks() {
	start := func(frame string, function func()) {
		add(frame, "chan receive", func() { go function() })
	}
	start("main.deepRecursion", deepRecursion)
	addSeveral(2, "main.recurse", "chan receive", func() { go deeperRecursion() })
	start("main.inlined", inlined)
	start("main.callsManyArguments", callsManyArguments)
	start("main.callsVariadic", callsVariadic)
	start("main.bigFrame", func() { bigFrame() })
	start("main.methodPointer", methodPointer)
	start("main.methodEmbedded", methodEmbedded)
	start("main.methodEmbeddedArguments", methodEmbeddedArguments)
	start("main.methodOfValue", methodOfValue)
	start("main.methodValue", methodValue)
	start("main.methodExpression", methodExpression)
	start("main.closureNested", closureNested)
	start("main.reflectCall", reflectCall)
	start("main.reflectCallFunction", reflectCallFunction)
	start("main.reflectMadeFunction", reflectMadeFunction)
	start("main.sortCallback", sortCallback)
	start("main.deferredOnReturn", deferredOnReturn)
	start("main.deferredInLoop", deferredInLoop)
	start("main.labelled", labelled)
	add("main.startedInInit", "chan receive", func() {})

	// What the go statement itself starts: a method, with arguments, of a value, a literal.
	var w waiter = &line{&station{never}, "line"}
	s := &station{never}
	value := valueStation{never}
	addSeveral(10, "main.(*station).wait", "chan receive", func() {
		go s.wait()
		go w.wait()
		f := s.wait
		go f()
		for i := 0; i < 3; i++ {
			go (*station).wait(s)
		}
	})
	addSeveral(4, "main.station.waitOn", "chan receive", func() {
		go s.waitOn(never, "s")
		go w.waitOn(never, "w")
		go (*s).waitOn(never, "value")
	})
	addSeveral(3, "main.valueStation.waitByValue", "chan receive", func() {
		go value.waitByValue()
		defer func(v *valueStation) { go v.waitByValue() }(&value)
	})
	addSeveral(2, "main.manyArguments", "chan receive", func() {
		go manyArguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "m", nil, 1.5, 16)
	})
	addSeveral(3, "main.variadic", "chan receive", func() { go variadic(1, 2, 3) })
	add("main.waitsInLiteral", "chan receive", func() { go literal() })
}
