// SPDX-License-Identifier: Apache-2.0
/*
 * Proc_net: the sockets as /proc/PID/net/{tcp,tcp6,udp,…,unix,netlink} list them (proc_pid_net(5)),
 * for where sock_diag can't be had: a kernel without its modules, or another process's network
 * namespace without the privilege to enter it. A pure function from bytes.
 */
#pragma once

#include "collect/socket_record.h"
#include "util/arena.h"

enum proc_net_form { PROC_NET_INET, PROC_NET_UNIX, PROC_NET_NETLINK };

/*
 * Adds to @records the sockets that @length bytes at @bytes list; family, type and protocol are
 * set where the file tells. A malformed line counts for nothing. The kernel writes a unix path's
 * newlines as they are, so a name can forge a line: of an inode that stands there twice neither
 * line is kept.
 */
void proc_net_parse(enum proc_net_form form, const char *bytes, size_t length, struct arena *arena,
	struct socket_records *records);
