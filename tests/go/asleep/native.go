// SPDX-License-Identifier: Apache-2.0

//go:build cgo
// +build cgo

package main

/*
#include <pthread.h>
#include <unistd.h>

static void *rest(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void start_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, rest, NULL);
}
*/
import "C"

// Where C is linked in, Go's runtime looks for no deadlock.
func withC(mode string) {
	var none chan int
	switch mode {
	case "nil channel":
		ready()
		<-none
	case "thread of C":
		C.start_thread()
		ready()
		<-none
	case "call of C":
		ready()
		C.pause()
	}
}
