// SPDX-License-Identifier: Apache-2.0
#include "top/facts.h"

#include <stdlib.h>
#include <string.h>

#include "top/frames.h"
#include "util/clock.h"
#include "util/memory.h"

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define PRINT_BASIS 2166136261u
#define PRINT_PRIME 16777619u

static uint32_t add_byte(uint32_t print, unsigned char byte)
{
	return (print ^ byte) * PRINT_PRIME;
}

static uint32_t add_string(uint32_t print, const char *string)
{
	for (; string && *string; string++)
		print = add_byte(print, (unsigned char)*string);
	return print;
}

static uint32_t add_number(uint32_t print, uint64_t number)
{
	for (size_t i = 0; i < sizeof(number); i++)
		print = add_byte(print, (unsigned char)(number >> 8 * i));
	return print;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* The length of a duration, as text_append_duration() writes its parts: "4.2 s"; 0: none. */
static size_t duration_length(const char *string)
{
	static const char *const units[] = {"ns", "µs", "ms", "s", "min", "h", "d"};
	size_t length = 0;

	while (is_digit(string[length]) || (length && string[length] == '.'))
		length++;
	if (!length || string[length] != ' ')
		return 0;
	length++;
	for (size_t i = 0; i < array_length(units); i++) {
		size_t unit = strlen(units[i]);
		char after;

		if (strncmp(string + length, units[i], unit))
			continue;
		after = string[length + unit];
		if (!after || after == ' ' || after == ',' || after == ')')
			return length + unit;
	}
	return 0;
}

uint32_t sentence_print(const char *sentence)
{
	uint32_t print = PRINT_BASIS;
	bool in_word = false; /* a number within a word is none */

	while (sentence && *sentence) {
		size_t length = in_word ? 0 : duration_length(sentence);

		if (length) {
			sentence += length;
			continue;
		}
		in_word = *sentence != ' ' && *sentence != '(';
		print = add_byte(print, (unsigned char)*sentence++);
	}
	return print;
}

static uint32_t holder_print(const struct wait *wait)
{
	const struct holder *holder = wait && wait->holder_count ? &wait->holders[0] : NULL;
	uint32_t print = PRINT_BASIS;

	if (!holder)
		return print;
	print = add_number(print, (uint64_t)holder->pid << 32 | (uint32_t)holder->tid);
	return add_number(print, holder->goroutine);
}

static void take_prints(struct thread_facts *facts, const struct thread *thread)
{
	const struct syscall_call *call = thread->syscall;
	const struct frame *frame = telling_user_frame(thread);

	facts->prints[FACET_STATE] = (unsigned char)thread->state;
	facts->prints[FACET_WAIT] = sentence_print(thread->wait ? thread->wait->sentence : NULL);
	facts->prints[FACET_HOLDER] = holder_print(thread->wait);
	facts->prints[FACET_SYSCALL] = call ? add_number(PRINT_BASIS, (uint64_t)call->number) : 0;
	facts->prints[FACET_KERNEL] = add_string(PRINT_BASIS, telling_kernel_function(thread));
	facts->prints[FACET_USER] = add_string(PRINT_BASIS, frame ? frame->symbol : NULL);
	if (frame && !frame->symbol)
		facts->prints[FACET_USER] = add_number(PRINT_BASIS, frame->address.value);
}

/*
 * Whether a thread that is blocked has run since the look before: else it has been blocked for as
 * long as it was then and the time between. The moments at which the two looks came to it are known
 * to within what they took, thus the slack.
 */
static bool has_run(
	const struct thread_facts *now, const struct thread_facts *then, int64_t between)
{
	int64_t slack = between / 4;

	if (now->blocked_ns < 0 || then->blocked_ns < 0)
		return now->blocked_ns != then->blocked_ns;
	return now->blocked_ns < then->blocked_ns || now->blocked_ns < between - slack;
}

static void compare(struct thread_facts *now, const struct thread_facts *then, int64_t between)
{
	for (int i = 0; i < FACETS; i++) {
		if (i != FACET_TIME && now->prints[i] != then->prints[i])
			now->changed |= 1u << i;
	}
	if (has_run(now, then, between))
		now->changed |= 1u << FACET_TIME;
}

static int by_id(const void *left, const void *right)
{
	const struct thread_facts *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

/* Compares those of both, in step since they are in order. */
static void compare_all(struct facts *now, const struct facts *then)
{
	int64_t between = now->taken_at_ns - then->taken_at_ns;
	size_t still = 0, j = 0;

	for (size_t i = 0; i < now->count; i++) {
		while (j < then->count && by_id(&then->items[j], &now->items[i]) < 0)
			j++;
		if (j < then->count && by_id(&then->items[j], &now->items[i]) == 0) {
			compare(&now->items[i], &then->items[j], between);
			still++;
		} else {
			now->items[i].is_new = true;
		}
	}
	now->ended = then->count > still ? then->count - still : 0;
}

struct facts *facts_create(const struct look *look, const struct facts *before)
{
	struct facts *facts = allocate_zeroed(1, sizeof(*facts));
	size_t count = 0;

	for (size_t i = 0; i < look->process_count; i++)
		count += look->processes[i]->thread_count;
	facts->items = allocate_zeroed(count, sizeof(*facts->items));
	facts->taken_at_ns = look->taken_at_ns;
	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = look->processes[i];

		for (size_t j = 0; j < process->thread_count; j++) {
			const struct thread *thread = &process->threads[j];
			struct thread_facts *one = &facts->items[facts->count++];

			one->pid = process->pid;
			one->tid = thread->tid;
			one->blocked_ns = thread->state == 'R' ? -1 : thread->blocked_ns;
			take_prints(one, thread);
		}
	}
	qsort(facts->items, facts->count, sizeof(*facts->items), by_id);
	if (before)
		compare_all(facts, before);
	return facts;
}

void facts_destroy(struct facts *facts)
{
	if (!facts)
		return;
	free(facts->items);
	free(facts);
}

const struct thread_facts *facts_find(const struct facts *facts, pid_t pid, pid_t tid)
{
	const struct thread_facts key = {.pid = pid, .tid = tid};

	if (!facts || !facts->count)
		return NULL;
	return bsearch(&key, facts->items, facts->count, sizeof(key), by_id);
}

/* The place of the first that is not before @pid. */
static size_t lower_bound(const struct facts *facts, pid_t pid)
{
	size_t low = 0, high = facts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (facts->items[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t facts_count_threads(const struct facts *facts, pid_t pid)
{
	return facts ? lower_bound(facts, pid + 1) - lower_bound(facts, pid) : 0;
}
