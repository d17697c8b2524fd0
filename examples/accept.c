// SPDX-License-Identifier: Apache-2.0
/*
 * accept PORT: a TCP server with one thread, to be looked at. It waits for a client in
 * server_accept(), then for what the client sends in serve_client(), and gives it back; while it
 * serves one client, all others wait in the queue. PORT 0 lets the kernel choose.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 5

/* A socket that listens on the loopback device; says on standard output where. */
static int server_listen(unsigned short port)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		err(EXIT_FAILURE, "socket");
	int yes = 1;
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
		err(EXIT_FAILURE, "setsockopt");

	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	socklen_t length = sizeof address;
	if (bind(listener, (struct sockaddr *)&address, length) < 0)
		err(EXIT_FAILURE, "bind to port %u", port);
	if (listen(listener, BACKLOG) < 0)
		err(EXIT_FAILURE, "listen");
	if (getsockname(listener, (struct sockaddr *)&address, &length) < 0)
		err(EXIT_FAILURE, "getsockname");
	printf("listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return listener;
}

/* The next client's connection. */
static int server_accept(int listener)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int client = accept(listener, (struct sockaddr *)&address, &length);
	if (client < 0)
		err(EXIT_FAILURE, "accept");
	return client;
}

static void send_all(int client, const char *bytes, size_t count)
{
	while (count) {
		ssize_t sent = send(client, bytes, count, MSG_NOSIGNAL);
		if (sent < 0)
			return;
		bytes += sent;
		count -= sent;
	}
}

/* Gives back to the client what it sends, until it ends the connection. */
static void serve_client(int client)
{
	char bytes[512];
	ssize_t count;
	while ((count = read(client, bytes, sizeof bytes)) > 0)
		send_all(client, bytes, count);
	close(client);
}

static unsigned short port_of(const char *text)
{
	char *end;
	errno = 0;
	unsigned long port = strtoul(text, &end, 10);
	if (errno || end == text || *end || port > 65535)
		errx(EXIT_FAILURE, "%s is not a port", text);
	return port;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(EXIT_FAILURE, "usage: accept PORT");
	int listener = server_listen(port_of(argv[1]));
	for (;;)
		serve_client(server_accept(listener));
}
