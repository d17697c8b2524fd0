// SPDX-License-Identifier: Apache-2.0
/* Describe: the words for a descriptor. It reads nothing but the descriptor. */
#pragma once

#include "model/descriptor.h"
#include "util/arena.h"

/*
 * What stands between < and > after the descriptor's number, escaped, in @arena:
 *     /var/log/x    /tmp/x (deleted)    /dev/pts/0    memfd:name
 *     pipe:[123] ← cat (pid 7)    FIFO /tmp/f → cat (pid 7) and 2 more
 *     TCP 127.0.0.1:8080    TCP 127.0.0.1:8080 → 127.0.0.1:51234    UDP 0.0.0.0:53
 *     unix /run/x.sock    unix to /run/x.sock with server (pid 7)    unix pair with cat (pid 7)
 *     eventfd 0    timerfd, fires in 2.1 s    signalfd INT TERM    epoll of 3 descriptors
 * The arrow of a pipe is the way of the data, from or to who is at its other end.
 */
const char *descriptor_describe(const struct descriptor *descriptor, struct arena *arena);
