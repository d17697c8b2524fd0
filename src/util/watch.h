// SPDX-License-Identifier: Apache-2.0
/*
 * Watch: calls that may never return, made directly as long as they do.
 *
 * To hand each such call to another thread, as a guard does, takes longer than the call. Under a
 * watch the thread calls by itself, and another one looks from time to time whether it came back.
 * If it did not, it is left where it is, and everything is begun anew without it.
 */
#pragma once

#include <stdint.h>

struct watch;

/*
 * A watch over the calling thread, with a thread of its own. When a call does not return in time,
 * replace(@argument) is called in that thread, once; whatever the calling thread was at is then
 * the watch's, and must not be touched. NULL: no thread could be started. The caller owns it.
 */
struct watch *watch_create(void (*replace)(void *argument), void *argument);

/* Ends the watch: its thread frees it soon. NULL is allowed. */
void watch_destroy(struct watch *watch);

/*
 * Calls call(@argument), which is watched for about @patience_ns; longer where it could run but
 * gets no CPU. From a call that was given up there is no return, even if it comes back.
 */
void watch_call(
	struct watch *watch, void (*call)(void *argument), void *argument, int64_t patience_ns);
