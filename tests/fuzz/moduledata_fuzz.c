// SPDX-License-Identifier: Apache-2.0
/*
 * The memory of a Go process whose module data and build info have been changed: each ten bytes
 * put a word anywhere into the first half of it.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/go_fixture.h"
#include "runtimes/go/build_info.h"
#include "util/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(struct fixture *fixture)
{
	const struct go_pclntab *table = &fixture->go.modules[0].table;
	struct go_call calls[GO_INLINE_MAX];
	struct go_function function;
	int32_t frame_size;

	for (uint64_t pc = FIXTURE_TEXT; pc < TEXT_END; pc += 0x20) {
		if (!go_function_find(table, pc, &function, fixture->arena))
			continue;
		go_frame_size(table, &function, pc, &frame_size);
		go_calls_find(table, &function, pc, calls, fixture->arena);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fixture *fixture = fixture_create();
	bool uncertain;

	if (size && data[0] % 4 == 0)
		fixture->layout = go_layout_find(GO_FIRST_MINOR + data[0] / 4 % 12, &uncertain);
	for (size_t i = 1; i + 10 <= size; i += 10)
		memcpy(fixture->bytes + (data[i] | data[i + 1] << 8) % (FIXTURE_SIZE / 2 - 8),
			data + i + 2, 8);
	if (fixture_open(fixture))
		look_up(fixture);
	for (uint64_t offset = 0; offset < FIXTURE_SIZE / 2; offset += 0x400)
		go_build_version(&fixture->memory, at(offset), fixture->arena);
	fixture_destroy(fixture);
	return 0;
}
