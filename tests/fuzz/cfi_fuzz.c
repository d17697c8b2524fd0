// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as call frame information, as a DWARF expression, and as x86-64 code. The first byte
 * tells which.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arch/arch.h"
#include "unwind/cfi_section.h"
#include "unwind/expression.h"
#include "unwind/x86_64_decode.h"
#include "util/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_pattern(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	(void)memory;
	memset(to, (int)address, length);
	return address % 3 ? length : 0;
}

static void read_section(uint8_t *bytes, size_t size, bool is_debug_frame)
{
	struct cfi_section section = {
		.is_debug_frame = is_debug_frame,
		.address = 0x1000,
		.bytes = {.bytes = bytes, .length = size},
	};
	struct cfi_entry entry;
	struct cfi_state state;
	enum cfi_entry_kind kind;
	uint64_t offset = 0, end;

	while ((kind = cfi_section_next(&section, &offset, &entry)) != CFI_ENTRY_END) {
		if (kind != CFI_ENTRY_FUNCTION)
			continue;
		cfi_execute(&entry, &arch_x86_64, entry.start, &state, &end);
		cfi_execute(&entry, &arch_aarch64, entry.end - 1, &state, &end);
		cfi_section_find(&section, entry.start, &entry);
	}
	cfi_section_deinit(&section);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct memory memory = {read_pattern};
	struct registers registers = {.known = UINT64_MAX >> 40};
	struct expression_context context = {.registers = &registers, .memory = &memory};
	struct x86_64_instruction instruction;
	uint64_t value;

	if (size == 0)
		return 0;
	/* A copy of its own, so that each byte beyond the end is noticed. */
	uint8_t *bytes cleanup_free = memcpy(allocate(size - 1), data + 1, size - 1);
	switch (data[0] & 3) {
	case 0:
		read_section(bytes, size - 1, false);
		break;
	case 1:
		read_section(bytes, size - 1, true);
		break;
	case 2:
		expression_evaluate(&context, bytes, size - 1, &value);
		break;
	default:
		for (size_t at = 0;
			at < size - 1 && x86_64_decode(bytes + at, size - 1 - at, &instruction);
			at += instruction.length) {
			if (instruction.length == 0)
				__builtin_trap();
		}
		break;
	}
	return 0;
}
