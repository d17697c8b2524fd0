// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
)

func acceptTCP(listener net.Listener) {
	listener.Accept()
}

func acceptUnix(listener net.Listener) {
	listener.Accept()
}

func readTCP(connection net.Conn) {
	connection.Read(make([]byte, 100))
}

func readUnix(connection net.Conn) {
	connection.Read(make([]byte, 100))
}

func writeTCP(connection net.Conn) {
	for {
		connection.Write(make([]byte, 1<<20))
	}
}

func readUDP(connection *net.UDPConn) {
	connection.ReadFromUDP(make([]byte, 100))
}

func readUnixgram(connection *net.UnixConn) {
	connection.ReadMsgUnix(make([]byte, 100), make([]byte, 100))
}

// pair gives both ends of a connection.
func pair(network, address string) (net.Conn, net.Conn) {
	listener, err := net.Listen(network, address)
	check(err)
	defer listener.Close()
	client, err := net.Dial(network, listener.Addr().String())
	check(err)
	server, err := listener.Accept()
	check(err)
	kept = append(kept, client, server)
	return client, server
}

func slowHandler(http.ResponseWriter, *http.Request) {
	<-never
}

func getSlowly(client *http.Client, address string) {
	client.Get("http://" + address + "/slow")
}

func startServer() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	handlers := http.NewServeMux()
	handlers.HandleFunc("/slow", slowHandler)
	handlers.HandleFunc("/fast", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Write([]byte("fast"))
	})
	go (&http.Server{Handler: handlers}).Serve(listener)
	address := listener.Addr().String()
	// A connection that is kept alive, and one whose answer does not come.
	client := &http.Client{Transport: &http.Transport{}}
	answer, err := client.Get("http://" + address + "/fast")
	check(err)
	answer.Body.Read(make([]byte, 100))
	answer.Body.Close()
	go getSlowly(&http.Client{Transport: &http.Transport{}}, address)
}

func addNetwork() {
	directory, err := os.MkdirTemp("", "whystuck-go-")
	check(err)
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "socket")
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	tcp6, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		tcp6, err = net.Listen("tcp", "127.0.0.1:0")
		check(err)
	}
	unix, err := net.Listen("unix", path)
	check(err)
	client, _ := pair("tcp", "127.0.0.1:0")
	_, server := pair("tcp", "127.0.0.1:0")
	unixClient, _ := pair("unix", path+"2")
	packets, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	datagrams, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path + "3", Net: "unixgram"})
	check(err)
	addSeveral(2, "main.acceptTCP", "IO wait", func() {
		go acceptTCP(tcp)
		go acceptTCP(tcp6)
	})
	add("main.acceptUnix", "IO wait", func() { go acceptUnix(unix) })
	add("main.readTCP", "IO wait", func() { go readTCP(client) })
	add("main.writeTCP", "IO wait", func() { go writeTCP(server) })
	add("main.readUnix", "IO wait", func() { go readUnix(unixClient) })
	add("main.readUDP", "IO wait", func() { go readUDP(packets) })
	add("main.readUnixgram", "IO wait", func() { go readUnixgram(datagrams) })
	add("main.slowHandler", "chan receive", startServer)
	add("main.getSlowly", "select", func() {})
	add("net/http.(*Server).Serve", "IO wait", func() {})
	add("net/http.(*connReader).backgroundRead", "IO wait", func() {})
	addSeveral(2, "net/http.(*persistConn).writeLoop", "select", func() {})
	addSeveral(2, "net/http.(*persistConn).readLoop", "IO wait|select", func() {})
	addSeveral(2, "net/http.(*conn).serve", "IO wait|chan receive", func() {})
}
