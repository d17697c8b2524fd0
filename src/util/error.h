// SPDX-License-Identifier: Apache-2.0
/*
 * The one error type: why something could not be done, in words for the user.
 *
 * It is passed by value. The reason is a string literal or lives in an arena
 * that outlives the error; nobody frees it.
 */
#pragma once

#include <stdbool.h>

struct error {
	const char *reason; /* NULL: it was done */
	int number;         /* an errno value, or 0 where none applies */
};

#define NO_ERROR ((struct error){0})

static inline bool failed(struct error error)
{
	return error.reason;
}

/* An error with a reason of one's own. */
static inline struct error error_because(const char *reason)
{
	return (struct error){.reason = reason};
}

/* An error in the words of strerror() for @number, which is kept. */
struct error error_errno(int number);
