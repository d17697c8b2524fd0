// SPDX-License-Identifier: Apache-2.0
/*
 * The runtime's words for why a goroutine is parked (src/runtime/runtime2.go, waitReasonStrings),
 * of all versions.
 */
#include <string.h>

#include "runtimes/go/wait_parts.h"
#include "util/memory.h"

/* Those that lead to more. */
static const struct {
	const char *reason;
	enum go_wait_kind kind;
} kinds[] = {
	{"chan receive", GO_WAIT_RECEIVE},
	{"chan send", GO_WAIT_SEND},
	{"select", GO_WAIT_SELECT},
	{"sleep", GO_WAIT_SLEEP},
	{"IO wait", GO_WAIT_READ},
	/* Until 1.19 for all of package sync, until 1.23 for its WaitGroup: the stack tells. */
	{"semacquire", GO_WAIT_SEMAPHORE},
	{"sync.Mutex.Lock", GO_WAIT_MUTEX},
	{"sync.RWMutex.RLock", GO_WAIT_READ_LOCK},
	{"sync.RWMutex.Lock", GO_WAIT_WRITE_LOCK},
	{"sync.WaitGroup.Wait", GO_WAIT_WAIT_GROUP},
	{"sync.Cond.Wait", GO_WAIT_CONDITION},
};

static const struct go_reason reasons[] = {
	{"chan receive (nil chan)", "channel-receive",
		"waits for a value from a nil channel: for ever", false, true},
	{"chan send (nil chan)", "channel-send", "waits for a receiver on a nil channel: for ever",
		false, true},
	{"select (no cases)", "channel-select", "waits without end: its select has no cases", true,
		true},
	/* No reason of the runtime's: what a select without channels comes down to. */
	{"", "channel-select", "waits without end: its select has no channel that is not nil",
		false, true},
	{"preempted", "runtime", "is interrupted by the scheduler", false, false},
	{"coroutine", "runtime", "waits for the other side of an iterator to go on", true, false},
	{"panicwait", "runtime", "waits for the process to end by another goroutine's panic", false,
		false},
	{"debug call", "runtime", "waits for a call that a debugger makes", false, false},
	{"dumping heap", "runtime", "waits while it writes a dump of the heap", false, false},
	{"stopping the world", "runtime", "waits for all goroutines to stop", false, false},
	{"trace reader (blocked)", "runtime", "waits for an execution trace to read from", true,
		false},
	{"trace goroutine status", "runtime",
		"waits for the execution trace to note its goroutines", false, false},
	{"trace proc status", "runtime", "waits for the execution trace to note its processors",
		false, false},
	{"page trace flush", "runtime", "waits for the trace of pages to be written", false, false},
	{"flushing proc caches", "runtime", "waits for the processors to give back their caches",
		false, false},
	{"synctest.Run", "runtime", "waits for the goroutines of its synctest bubble", false,
		false},
	{"synctest.Wait", "runtime",
		"waits for the other goroutines of its synctest bubble to block", false, false},
	{"timer goroutine (idle)", "runtime", "waits for a timer", true, false},
	{"GOMAXPROCS updater (idle)", "runtime", "waits for the number of usable CPUs to change",
		true, false},
	{"finalizer wait", "runtime", "waits for finalizers to run", true, false},
	{"cleanup wait", "runtime", "waits for cleanups to run", true, false},
	{"force gc (idle)", "runtime", "waits for a garbage collection to be due", true, false},
	{"wait for GC cycle", "runtime", "waits for the garbage collection to end", false, false},
	{"garbage collection", "runtime", "waits for the garbage collection", false, false},
	{"garbage collection scan", "runtime", "waits for the garbage collector to scan its stack",
		false, false},
	{"GC assist marking", "runtime", "waits while it helps the garbage collector to mark",
		false, false},
	{"GC assist wait", "runtime",
		"waits for the garbage collector to make up for what it allocates", false, false},
	{"GC sweep wait", "runtime", "waits for memory to sweep", true, false},
	{"GC scavenge wait", "runtime", "waits for memory to give back to the system", true, false},
	{"GC worker (idle)", "runtime", "waits for a garbage collection", true, false},
	{"GC worker (active)", "runtime", "waits while it marks for the garbage collector", false,
		false},
	{"GC mark termination", "runtime", "waits for the garbage collector to end marking", false,
		false},
	{"GC weak to strong wait", "runtime", "waits for the garbage collector to end marking",
		false, false},
};

/* Whether the words are alike but for what packages testing/synctest adds. */
static bool is_reason(const char *reason, const char *known)
{
	size_t length = strlen(known);

	if (strncmp(reason, known, length) != 0)
		return false;
	return !reason[length] || strcmp(reason + length, " (durable)") == 0 ||
	       strcmp(reason + length, " (synctest)") == 0;
}

enum go_wait_kind go_wait_kind(const char *reason, size_t *row)
{
	*row = 0;
	if (!reason || !*reason)
		return GO_WAIT_UNKNOWN;
	for (size_t i = 0; i < array_length(kinds); i++) {
		if (is_reason(reason, kinds[i].reason))
			return kinds[i].kind;
	}
	for (size_t i = 0; i < array_length(reasons); i++) {
		*row = i;
		if (reasons[i].reason[0] && is_reason(reason, reasons[i].reason))
			return GO_WAIT_WORDS;
	}
	return GO_WAIT_UNKNOWN;
}

const struct go_reason *go_reason_at(size_t row)
{
	return &reasons[row < array_length(reasons) ? row : 0];
}
