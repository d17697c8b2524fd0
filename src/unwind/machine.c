// SPDX-License-Identifier: Apache-2.0
#include "unwind/machine.h"

#include <stddef.h>

#include "util/memory.h"

static const struct machine *const machines[] = {
	&machine_x86_64,
	&machine_aarch64,
};

const struct machine *machine_of(const struct arch *arch)
{
	for (size_t i = 1; i < array_length(machines); i++) {
		if (machines[i]->elf_machine == arch->elf_machine)
			return machines[i];
	}
	return machines[0];
}
