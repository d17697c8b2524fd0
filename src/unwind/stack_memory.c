// SPDX-License-Identifier: Apache-2.0
#include "unwind/stack_memory.h"

#include <string.h>

/* Whether memory there can be taken as it is now: nobody writes to it, or nobody has. */
static bool holds_still(const struct stack_memory *stack, uint64_t address)
{
	const struct mapping *mapping = modules_mapping(stack->modules, address);

	if (stack->held_still) {
		*stack->went_beyond |= !mapping || mapping->writable;
		return true;
	}
	if (!mapping)
		return false;
	/* Code buffers may be writable; a stack in executable memory is not one. */
	return !mapping->writable ||
	       (mapping->executable && !(stack->sp >= mapping->start && stack->sp < mapping->end));
}

static size_t read_beyond(
	const struct stack_memory *stack, uint64_t address, void *to, size_t length)
{
	if (!stack->beyond || !holds_still(stack, address) ||
		!holds_still(stack, address + length - 1))
		return 0;
	return stack->beyond->read(stack->beyond, address, to, length);
}

static size_t stack_memory_read(
	const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct stack_memory *stack = (const struct stack_memory *)memory;
	uint64_t offset = address - stack->start;

	/* Nearly all that is read: a constant length is copied by one instruction. */
	if (length == sizeof(uint64_t) && offset < stack->length &&
		stack->length - offset >= length) {
		memcpy(to, stack->bytes + offset, sizeof(uint64_t));
		return length;
	}
	if (offset >= stack->length)
		return read_beyond(stack, address, to, length);
	size_t copied = stack->length - offset;
	if (copied >= length) {
		memcpy(to, stack->bytes + offset, length);
		return length;
	}
	memcpy(to, stack->bytes + offset, copied);
	return copied + read_beyond(stack, address + copied, (char *)to + copied, length - copied);
}

struct stack_memory stack_memory_of(const struct process *process, const struct thread *thread,
	struct modules *modules, uint64_t sp, bool *went_beyond)
{
	return (struct stack_memory){
		.memory.read = stack_memory_read,
		.start = thread->stack_start,
		.bytes = thread->stack_bytes,
		.length = thread->stack_bytes ? thread->stack_length : 0,
		.beyond = process->memory,
		.modules = modules,
		.held_still = thread->held_still,
		.sp = sp,
		.went_beyond = went_beyond,
	};
}
