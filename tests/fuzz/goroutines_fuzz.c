// SPDX-License-Identifier: Apache-2.0
/*
 * The memory of a Go process in which anything may have been changed but its module data: lists in
 * a circle, endless lengths, stacks that lead anywhere. Each ten bytes put a word somewhere, the
 * first eight are a thread's sp.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/go_fixture.h"
#include "arch/arch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unwind_thread(struct fixture *fixture, uint64_t sp)
{
	const struct code *code = &fixture->go.code;
	struct registers registers = {0};
	struct code_step step = {
		.memory = &fixture->memory, .registers = &registers, .at_instruction = true};
	const struct frame *frames;

	register_set(&registers, arch_native->pc, GOPARK_ENTRY + 1);
	register_set(&registers, arch_native->sp, sp);
	for (unsigned i = 0; i < 256 && code->step(code, &step) == CODE_STEPPED; i++) {
		struct code_address address = {
			.value = registers.value[arch_native->pc], .is_return = true};

		code->name(code, address, &frames);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fixture *fixture = fixture_create();
	uint64_t sp;

	for (size_t i = 8; i + 10 <= size; i += 10)
		memcpy(fixture->bytes + 0x400 +
				(data[i] | data[i + 1] << 8) % (FIXTURE_SIZE - 0x408),
			data + i + 2, 8);
	if (size >= 8 && fixture_open(fixture)) {
		memcpy(&sp, data, sizeof(sp));
		unwind_thread(fixture, sp);
		if (fixture->go.allgs)
			go_goroutines_find(&fixture->go, 64);
	}
	fixture_destroy(fixture);
	return 0;
}
