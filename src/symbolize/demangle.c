// SPDX-License-Identifier: Apache-2.0
#include "symbolize/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/*
 * Substitutions can double a name at each step, so that a kilobyte describes more output than
 * there is memory. Where the output passes its limit, the demangler is left by longjmp():
 * libiberty offers no other way out. What it keeps for C++ is all on the stack; Rust's loses at
 * most the buffer of one identifier.
 */
#define OUTPUT_LIMIT (64 * 1024)

/*
 * libiberty gives up on C++ names over 1 KiB unless told not to limit its recursion
 * (libiberty/cp-demangle.c, DEMANGLE_RECURSION_LIMIT). The depth is then bounded by the name's
 * length, since C++ refers back to what is parsed already; Rust's references may be cyclic.
 */
#define INPUT_LIMIT 4096

/*
 * D's demangler has no output that can be left early. Its back references ('Q') are what
 * multiplies: with this many, the output stays below 3^(24/3) times the input.
 */
#define D_INPUT_LIMIT 1024
#define D_REFERENCE_LIMIT 24

struct output {
	struct text text;
	jmp_buf full;
};

typedef int demangler(const char *, int, demangle_callbackref, void *);

static void collect(const char *piece, size_t length, void *to)
{
	struct output *output = to;

	if (length > OUTPUT_LIMIT - output->text.length)
		longjmp(output->full, 1);
	text_append_bytes(&output->text, piece, length);
}

static bool run(demangler *with, const char *name, int options, struct output *output)
{
	text_clear(&output->text);
	if (setjmp(output->full))
		return false;
	return with(name, options, collect, output) && output->text.length;
}

/*
 * Whether a function or dyn type claims to bind thousands of lifetimes: "F" or "D", "G", and a
 * number of three digits or more to the base of 62 (Rust RFC 2603, <binder>). libiberty counts
 * through them, be it years, with no output that would stop it where the type is not printed.
 */
static bool binds_many_lifetimes(const char *name)
{
	for (; *name; name++) {
		if ((name[0] != 'F' && name[0] != 'D') || name[1] != 'G')
			continue;
		size_t digits = strspn(
			name + 2, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (digits > 2 && name[2 + digits] == '_')
			return true;
	}
	return false;
}

static const char *demangle_rust(const char *name, struct arena *arena)
{
	struct output output = {0};
	const char *result = NULL;

	if (!binds_many_lifetimes(name) && run(rust_demangle_callback, name, DMGL_NO_OPTS, &output))
		result = text_to_arena(&output.text, arena);
	text_deinit(&output.text);
	return result;
}

static const char *demangle_cpp(const char *name, struct arena *arena)
{
	struct output output = {0};
	const char *result = NULL;
	const char *suffix = strchrnul(name, '.');
	char *bare = strndup(name, (size_t)(suffix - name));

	if (bare && run(cplus_demangle_v3_callback, bare, DMGL_NO_RECURSE_LIMIT, &output)) {
		text_append(&output.text, suffix);
		result = text_to_arena(&output.text, arena);
	}
	free(bare);
	text_deinit(&output.text);
	return result;
}

/* Where the parameter list of a D function begins; template arguments are `name!(…)`. */
static size_t d_name_length(const char *text)
{
	int depth = 0;

	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '(' && depth == 0 && i && text[i - 1] != '!')
			return i;
		depth += (text[i] == '(') - (text[i] == ')');
	}
	return strlen(text);
}

static const char *demangle_d(const char *name, struct arena *arena)
{
	size_t references = 0;

	for (const char *at = name; *at; at++)
		references += *at == 'Q';
	if (strlen(name) > D_INPUT_LIMIT || references > D_REFERENCE_LIMIT)
		return NULL;
	char *text = dlang_demangle(name, DMGL_NO_OPTS);
	if (!text)
		return NULL;
	const char *result = arena_strndup(arena, text, d_name_length(text));
	free(text);
	return result;
}

const char *demangle(const char *name, struct arena *arena)
{
	const char *result = NULL;

	if (name[0] != '_' || strnlen(name, INPUT_LIMIT + 1) > INPUT_LIMIT)
		return name;
	if (name[1] == 'R')
		result = demangle_rust(name, arena);
	else if (name[1] == 'D')
		result = demangle_d(name, arena);
	else if (name[1] == 'Z') {
		/* Rust's legacy names are C++ names that end in a hash: "17h" and 16 digits. */
		result = strstr(name, "17h") ? demangle_rust(name, arena) : NULL;
		if (!result)
			result = demangle_cpp(name, arena);
	}
	return result ? result : name;
}
