// SPDX-License-Identifier: Apache-2.0
/*
 * Go: each thread has a stack of its own, g0's, for the scheduler, which goroutines switch to. Go's
 * DWARF describes the switching functions as if they were called on g0's stack. What
 * is outermost there, src/runtime/traceback.go, topofstack() tells (Go 1.16 to 1.20; since
 * 1.21 the flag TOPFRAME of the same functions, src/runtime/asm_amd64.s).
 */
#include <string.h>

#include "runtimes/runtimes.h"
#include "util/memory.h"

static const struct {
	const char *symbol; /* without its ".abi0" */
	enum runtime_verdict verdict;
} functions[] = {
	{"runtime.goexit", RUNTIME_OUTERMOST},
	{"runtime.mcall", RUNTIME_OUTERMOST},
	{"runtime.morestack", RUNTIME_OUTERMOST},
	{"runtime.mstart", RUNTIME_OUTERMOST},
	{"runtime.rt0_go", RUNTIME_OUTERMOST},
	{"runtime.asmcgocall", RUNTIME_SWITCHES_STACK},
	{"runtime.systemstack", RUNTIME_SWITCHES_STACK},
};

static enum runtime_verdict judge(const char *symbol)
{
	if (strncmp(symbol, "runtime.", strlen("runtime.")) != 0)
		return RUNTIME_GO_ON;
	for (size_t i = 0; i < array_length(functions); i++) {
		size_t length = strlen(functions[i].symbol);

		if (strncmp(symbol, functions[i].symbol, length) == 0 &&
			(!symbol[length] || strcmp(symbol + length, ".abi0") == 0))
			return functions[i].verdict;
	}
	return RUNTIME_GO_ON;
}

const struct runtime runtime_go = {
	.name = "go",
	.judge = judge,
	.elsewhere = "it goes on on its goroutine's stack",
};
