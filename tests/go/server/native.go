// SPDX-License-Identifier: Apache-2.0

//go:build cgo
// +build cgo

package main

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>
#include <unistd.h>

extern void goCallback(int);

static void read_innermost(int descriptor) {
	char byte;
	while (read(descriptor, &byte, 1) < 0)
		;
}
static __attribute__((noinline)) void block_in_c(int descriptor) {
	read_innermost(descriptor);
}
static __attribute__((noinline)) void call_back(int depth) {
	goCallback(depth);
}
static volatile int ended;
static __attribute__((noinline)) void loop_in_c(void) {
	while (!ended)
		;
}
static void *begin_thread(void *unused) {
	(void)unused;
	goCallback(-1);
	return NULL;
}
static int start_thread(void) {
	pthread_t thread;
	return pthread_create(&thread, NULL, begin_thread, NULL);
}
*/
import "C"

import (
	"runtime"
	"syscall"
)

//export goCallback
func goCallback(depth C.int) {
	switch {
	case depth < 0:
		tellThread("main.calledByThread")
		calledByThread()
	case depth == 0:
		calledBack()
	default:
		cgoCallbackNested(int(depth) - 1)
	}
}

//go:noinline
func calledByThread() {
	<-never
}

//go:noinline
func calledBack() {
	<-never
}

//go:noinline
func cgoCallbackNested(depth int) {
	C.call_back(C.int(depth))
}

func cgoBlocked(descriptor int) {
	C.block_in_c(C.int(descriptor))
}

func cgoBlockedLocked(descriptor int) {
	runtime.LockOSThread()
	tellThread("main.cgoBlockedLocked")
	C.block_in_c(C.int(descriptor))
}

func cgoLoop() {
	C.loop_in_c()
}

func cgoCallback() {
	C.call_back(0)
}

func cgoCallbackTwice() {
	C.call_back(2)
}

func cgoCallbackReads(descriptor int) {
	C.block_in_c(C.int(descriptor))
}

func init() {
	extra = append(extra, func() {
		var descriptors [2]int
		check(syscall.Pipe(descriptors[:]))
		add("main.cgoBlocked", "syscall", func() { go cgoBlocked(descriptors[0]) })
		add("main.cgoBlockedLocked", "syscall", func() { go cgoBlockedLocked(descriptors[0]) })
		add("main.cgoLoop", "syscall", func() { go cgoLoop() })
		add("main.cgoCallback", "chan receive", func() { go cgoCallback() })
		add("main.cgoCallbackTwice", "chan receive", func() { go cgoCallbackTwice() })
		addSeveral(2, "main.calledBack", "chan receive", func() {})
		add("main.calledByThread", "chan receive", func() { C.start_thread() })
	})
}
