// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"reflect"
	"time"
)

type message struct {
	number int
	text   string
}

var (
	never      = make(chan message)
	neverFull  = make(chan int, 3)
	full       = make(chan string, 2)
	neverTaken = make(chan *message)
)

func chanReceive() {
	<-never
}

func chanReceiveBuffered() {
	value, ok := <-neverFull
	println(value, ok)
}

func chanRange() {
	for value := range neverFull {
		println(value)
	}
}

func chanSend() {
	neverTaken <- &message{}
}

func chanSendFull() {
	full <- "one"
	full <- "two"
	full <- "three"
}

func chanReceiveNil() {
	var nothing chan int
	<-nothing
}

func chanSendNil() {
	var nothing chan int
	nothing <- 1
}

func selectSeveral() {
	select {
	case <-never:
	case value := <-neverFull:
		println(value)
	case neverTaken <- nil:
	}
}

func selectNilCases() {
	var nothing, none chan int
	select {
	case <-nothing:
	case none <- 1:
	}
}

func selectOneCase() {
	select {
	case <-never:
	}
}

func selectNone() {
	select {}
}

func selectWithTimeout() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	select {
	case <-never:
	case <-timer.C:
	}
}

func reflectSelect() {
	reflect.Select([]reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(never)},
		{Dir: reflect.SelectSend, Chan: reflect.ValueOf(neverTaken), Send: reflect.ValueOf(&message{})},
	})
}

func reflectReceive() {
	reflect.ValueOf(never).Recv()
}

func sleeping() {
	time.Sleep(time.Hour)
}

func timerChannel() {
	<-time.After(time.Hour)
}

func tickerChannel() {
	ticker := time.NewTicker(time.Hour)
	for range ticker.C {
	}
}

func contextWait(ctx context.Context) {
	<-ctx.Done()
}

func contextTimeout() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	contextWait(ctx)
}

func pipeRead(reader io.Reader) {
	reader.Read(make([]byte, 1))
}

func pipeWrite(writer io.Writer) {
	writer.Write([]byte("nobody reads"))
}

func addChannels() {
	add("main.chanReceive", "chan receive", func() { go chanReceive() })
	add("main.chanReceiveBuffered", "chan receive", func() { go chanReceiveBuffered() })
	addSeveral(3, "main.chanRange", "chan receive", func() {
		for i := 0; i < 3; i++ {
			go chanRange()
		}
	})
	add("main.chanSend", "chan send", func() { go chanSend() })
	add("main.chanSendFull", "chan send", func() { go chanSendFull() })
	add("main.chanReceiveNil", "chan receive (nil chan)", func() { go chanReceiveNil() })
	add("main.chanSendNil", "chan send (nil chan)", func() { go chanSendNil() })
	add("main.selectSeveral", "select", func() { go selectSeveral() })
	add("main.selectNilCases", "select", func() { go selectNilCases() })
	add("main.selectOneCase", "chan receive", func() { go selectOneCase() })
	add("main.selectNone", "select (no cases)", func() { go selectNone() })
	add("main.selectWithTimeout", "select", func() { go selectWithTimeout() })
	add("main.reflectSelect", "select", func() { go reflectSelect() })
	add("main.reflectReceive", "chan receive", func() { go reflectReceive() })
	add("main.sleeping", "sleep", func() { go sleeping() })
	add("main.timerChannel", "chan receive", func() { go timerChannel() })
	add("main.tickerChannel", "chan receive", func() { go tickerChannel() })
	add("main.contextTimeout", "chan receive", func() { go contextTimeout() })
	reader, writer := io.Pipe()
	add("main.pipeRead", "select", func() { go pipeRead(reader) })
	_, otherWriter := io.Pipe()
	add("main.pipeWrite", "select", func() { go pipeWrite(otherWriter) })
	kept = append(kept, writer)
}

// kept is what must not be collected.
var kept []interface{}
