// SPDX-License-Identifier: Apache-2.0
/* What a lock is called: the variable that covers its address. */
#include <string.h>

#include "waits/futex_parts.h"

/* "queue_lock", "queue+0x28 in app.c", "main_arena in libc.so.6" */
static void say_variable(struct waiting *waiting, const char *name, const struct variable *variable)
{
	say_escaped(waiting, name);
	if (variable->offset)
		say(waiting, "+0x%llx", HEX(variable->offset));
	if (!variable->file && !variable->library)
		return;
	const char *file = variable->file ? variable->file : variable->library;
	const char *slash = strrchr(file, '/');
	say(waiting, " in ");
	say_escaped(waiting, slash ? slash + 1 : file);
}

void say_object(struct waiting *waiting, uint64_t address)
{
	struct variable variable;

	if (!variable_find(waiting->process->variables, address, &variable)) {
		say(waiting, "0x%llx", HEX(address));
		return;
	}
	say_variable(waiting, variable.name, &variable);
	say(waiting, " (0x%llx)", HEX(address));
}

void say_futex(struct waiting *waiting, const struct futex *futex)
{
	struct variable variable;

	say(waiting, " (");
	if (variable_find(waiting->process->variables, futex->address, &variable)) {
		say_variable(waiting, variable.name, &variable);
		say(waiting, ", ");
	}
	say(waiting, "futex 0x%llx)", HEX(futex->address));
}

void say_guarded(struct waiting *waiting, const struct futex *futex)
{
	static const char guard[] = "guard variable for "; /* as demanglers have it */
	struct variable variable;

	if (variable_find(waiting->process->variables, futex->address, &variable) &&
		strncmp(variable.name, guard, sizeof(guard) - 1) == 0) {
		say(waiting, "static variable ");
		say_escaped(waiting, variable.name + sizeof(guard) - 1);
	} else {
		say(waiting, "a static variable");
	}
	say(waiting, " (futex 0x%llx)", HEX(futex->address));
}
