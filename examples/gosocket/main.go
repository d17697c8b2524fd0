// SPDX-License-Identifier: Apache-2.0

// Command gosocket PORT is a TCP server to be looked at: one goroutine waits for clients,
// and one for each client waits for what it sends and gives it back. Its threads wait
// elsewhere: in epoll, and on futexes. PORT 0 lets the kernel choose.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

func serveClient(client net.Conn) {
	defer client.Close()
	if _, err := io.Copy(client, client); err != nil {
		log.Printf("%v: %v", client.RemoteAddr(), err)
	}
}

func serverAccept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serveClient(client)
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gosocket PORT")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %v\n", listener.Addr())
	serverAccept(listener)
}
