// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func readPipe(file *os.File) {
	file.Read(make([]byte, 1))
}

func writePipe(file *os.File) {
	for {
		file.Write(make([]byte, 4096))
	}
}

func copyPipe(to io.Writer, from io.Reader) {
	io.Copy(to, from)
}

func signalWait(signals chan os.Signal) {
	<-signals
}

func execWait(command *exec.Cmd) {
	command.Wait()
}

type discard struct{}

func (discard) Write(data []byte) (int, error) { return len(data), nil }

func addPipes() {
	reader, writer, err := os.Pipe()
	check(err)
	fullReader, fullWriter, err := os.Pipe()
	check(err)
	copied, copiedWriter, err := os.Pipe()
	check(err)
	kept = append(kept, writer, fullReader, copiedWriter)
	add("main.readPipe", "IO wait", func() { go readPipe(reader) })
	add("main.writePipe", "IO wait", func() { go writePipe(fullWriter) })
	add("main.copyPipe", "IO wait", func() { go copyPipe(discard{}, copied) })
	add("main.signalWait", "chan receive", func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGUSR1, syscall.SIGHUP)
		go signalWait(signals)
	})
	add("os/signal.signal_recv", "syscall", func() {})
	add("main.execWait", "syscall", func() {
		// cat's standard input is a pipe that only this process holds; its output is copied.
		command := exec.Command("cat")
		_, err := command.StdinPipe()
		check(err)
		command.Stdout = discard{}
		check(command.Start())
		kept = append(kept, command)
		go execWait(command)
	})
}
