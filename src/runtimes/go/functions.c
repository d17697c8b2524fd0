// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/functions.h"

#include <string.h>

#include "util/memory.h"

#define RUNTIME "runtime."

static const struct {
	const char *name; /* without its "runtime." */
	enum go_function_kind kind;
} kinds[] = {
	{"goexit", GO_OUTERMOST},
	{"mstart", GO_OUTERMOST},
	{"rt0_go", GO_OUTERMOST},
	{"mcall", GO_MCALL},
	{"morestack", GO_MORESTACK},
	{"systemstack", GO_SYSTEMSTACK},
	{"asmcgocall", GO_ASMCGOCALL},
	{"cgocallback", GO_CGOCALLBACK},
	{"sigpanic", GO_INJECTED},
	{"asyncPreempt", GO_INJECTED},
	{"debugCallV2", GO_INJECTED},
	{"sigreturn", GO_SIGRETURN},
	{"sigreturn__sigaction", GO_SIGRETURN},
	{"nanotime1", GO_VDSO_CALLER},
	{"walltime", GO_VDSO_CALLER},
	{"vgetrandom1", GO_VDSO_CALLER},
};

/* The function's name in its package if that is the runtime, less an assembly symbol's ".abi0". */
static bool in_runtime(const char *name, const char **function, size_t *length)
{
	const char *suffix = ".abi0";

	if (strncmp(name, RUNTIME, strlen(RUNTIME)) != 0)
		return false;
	*function = name + strlen(RUNTIME);
	*length = strlen(*function);
	if (*length > strlen(suffix) && strcmp(*function + *length - strlen(suffix), suffix) == 0)
		*length -= strlen(suffix);
	return true;
}

static bool is(const char *function, size_t length, const char *other)
{
	return strlen(other) == length && memcmp(function, other, length) == 0;
}

static bool is_one_of(const char *name, const char *const *others, size_t count)
{
	const char *function;
	size_t length;

	if (!in_runtime(name, &function, &length))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is(function, length, others[i]))
			return true;
	}
	return false;
}

enum go_function_kind go_function_kind(const char *name)
{
	const char *function;
	size_t length;

	/* It belongs to the runtime but for its name: src/runtime/timestub.go. */
	if (strcmp(name, "time.now") == 0)
		return GO_VDSO_CALLER;
	if (!in_runtime(name, &function, &length))
		return GO_ORDINARY;
	for (size_t i = 0; i < array_length(kinds); i++) {
		if (is(function, length, kinds[i].name))
			return kinds[i].kind;
	}
	return GO_ORDINARY;
}

bool go_is_panic(const char *name)
{
	static const char *const panics[] = {"gopanic", "sigpanic", "panicwrap"};

	return is_one_of(name, panics, array_length(panics));
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* isExportedRuntime(): since Go 1.23 a method counts by its own name and its receiver's. */
static bool is_exported(const char *function, unsigned minor)
{
	const char *dot = strrchr(function, '.');

	if (minor < 23 || !dot)
		return is_upper(function[0]);
	size_t length = (size_t)(dot - function);
	if (length >= 3 && function[0] == '(' && function[1] == '*' && function[length - 1] == ')')
		function += 2;
	return is_upper(dot[1]) && (!length || is_upper(function[0]));
}

bool go_is_hidden(const char *name, bool is_first, unsigned minor)
{
	static const char *const runners[] = {"runFinalizers", "runCleanups"};

	if (strncmp(name, RUNTIME, strlen(RUNTIME)) != 0)
		return !strchr(name, '.');
	/* The frames between a panic and what it runs. */
	if (strcmp(name, "runtime.gopanic") == 0 && !is_first)
		return false;
	if (minor >= 25 && is_one_of(name, runners, array_length(runners)))
		return false;
	return !is_exported(name + strlen(RUNTIME), minor);
}

bool go_starts_system(const char *name)
{
	static const char *const users[] = {"main", "corostart", "handleAsyncEvent"};

	return strncmp(name, RUNTIME, strlen(RUNTIME)) == 0 &&
	       !is_one_of(name, users, array_length(users));
}

const char *go_thread_role(const char *const *names, size_t count)
{
	/* What stands further out on a stack says more: the last that fits counts. */
	static const struct {
		const char *function, *role;
	} roles[] = {
		{"findrunnable", "idle Go scheduler thread"},
		{"findRunnable", "idle Go scheduler thread"},
		{"stopm", "idle Go scheduler thread"},
		{"stoplockedm", "waiting locked Go thread"},
		{"gcstopm", "stopped Go scheduler thread"},
		{"mPark", "idle Go scheduler thread"},
		{"templateThread", "Go template thread"},
		{"sysmon", "Go system monitor"},
	};
	const char *role = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *function;
		size_t length;

		if (!in_runtime(names[i], &function, &length))
			continue;
		for (size_t j = 0; j < array_length(roles); j++) {
			if (is(function, length, roles[j].function))
				role = roles[j].role;
		}
	}
	return role;
}
