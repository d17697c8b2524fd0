// SPDX-License-Identifier: Apache-2.0
/*
 * Live: which words of a goroutine's stack are pointers that its functions may still use, by the
 * maps that the garbage collector goes by (src/runtime/stkframe.go, getStackMap(); stack.go and
 * symtab.go before Go 1.21). What else lies on a stack is left over from calls that are long past.
 */
#pragma once

#include "runtimes/go/go.h"

/* A copy of a stack, from where its goroutine goes on. */
struct go_stack_copy {
	uint64_t pc, sp;
	uint64_t link; /* as go_cursor has it */
	const uint8_t *bytes;
	size_t length;
};

enum go_liveness {
	GO_NOT_LIVE, /* or not known to be */
	GO_LIVE,
	GO_DEFERRED, /* it is of a call that a function makes when it returns: defer mutex.Unlock()
		      */
};

/* What the word at @address is. */
enum go_liveness go_word_liveness(
	struct go_process *go, const struct go_stack_copy *stack, uint64_t address);
