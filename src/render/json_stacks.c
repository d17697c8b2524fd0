// SPDX-License-Identifier: Apache-2.0
#include "render/json_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "render/json_value.h"
#include "util/hash.h"
#include "util/memory.h"

#define KEPT_MAX (16u << 20) /* bytes of them all, which many different stacks must not exceed */

struct key {
	const void *stack;
	uint64_t hides; /* a bool without padding behind it */
};

/* A stack as it was written. */
struct kept {
	struct key key;
	char *bytes;
	size_t length;
	UT_hash_handle hh;
};

struct json_stacks {
	const struct render_options *options;
	struct kept *table;
	size_t bytes;
};

struct json_stacks *json_stacks_create(const struct render_options *options)
{
	struct json_stacks *stacks = allocate_zeroed(1, sizeof(*stacks));

	stacks->options = options;
	return stacks;
}

void json_stacks_destroy(struct json_stacks *stacks)
{
	struct kept *kept, *next;

	HASH_ITER(hh, stacks->table, kept, next)
	{
		HASH_DEL(stacks->table, kept);
		free(kept->bytes);
		free(kept);
	}
	free(stacks);
}

static struct json_object *kernel_stack_value(const struct kernel_stack *stack, bool addresses)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < stack->count; i++) {
		const struct kernel_frame *frame = &stack->frames[i];
		struct json_object *object = json_new_object();

		if (addresses && frame->address)
			json_add_address(object, "address", frame->address);
		else
			json_add_null(object, "address");
		json_add_string(object, "symbol", frame->symbol);
		json_add_int_if(object, "offset", frame->symbol, frame->offset);
		json_add_int_if(object, "size", frame->symbol, frame->size);
		json_add_string(object, "module", frame->module);
		json_append(array, object);
	}
	return array;
}

static struct json_object *frame_value(const struct frame *frame, bool lines)
{
	struct json_object *object = json_new_object();
	bool has_file = lines && frame->file;

	json_add_address(object, "address", frame->address.value);
	json_add_string(object, "symbol", frame->symbol);
	if (frame->symbol && frame->has_offset)
		json_add_unsigned(object, "offset", frame->offset);
	else
		json_add_null(object, "offset");
	json_add_string(object, "module", frame->module);
	json_add_string(object, "build_id", frame->build_id);
	json_add_string(object, "file", has_file ? frame->file : NULL);
	json_add_int_if(object, "line", has_file && frame->line, frame->line);
	json_add_bool(object, "inlined", frame->inlined);
	json_add_string(object, "kind", frame->kind ? frame->kind : "native");
	if (frame->uncertain)
		json_add_bool(object, "uncertain", true);
	if (frame->hidden)
		json_add_bool(object, "hidden", true);
	return object;
}

static struct json_object *user_stack_value(
	const struct user_stack *stack, bool hides, const struct render_options *options)
{
	struct json_object *array = json_new_array();

	hides = hides && !options->runtime_frames && stack_hides(stack);
	for (size_t i = 0; i < stack->frame_count; i++) {
		if (!hides || !stack->frames[i]->hidden)
			json_append(array, frame_value(stack->frames[i], options->lines));
	}
	return array;
}

/* Writes what was kept for the key; false: nothing was. */
static bool write_kept(FILE *out, struct json_stacks *stacks, struct key key)
{
	struct kept *kept;

	HASH_FIND(hh, stacks->table, &key, sizeof(key), kept);
	if (kept)
		fwrite(kept->bytes, 1, kept->length, out);
	return kept;
}

/* Writes @value, which it takes over, and keeps what was written if there is room. */
static void write_and_keep(
	FILE *out, struct json_stacks *stacks, struct key key, struct json_object *value)
{
	struct kept *kept = allocate_zeroed(1, sizeof(*kept));
	FILE *memory = open_memstream(&kept->bytes, &kept->length);

	if (!memory)
		out_of_memory();
	json_write(memory, value);
	if (fclose(memory))
		out_of_memory();
	fwrite(kept->bytes, 1, kept->length, out);
	if (kept->length > KEPT_MAX - stacks->bytes) {
		free(kept->bytes);
		free(kept);
		return;
	}
	kept->key = key;
	stacks->bytes += kept->length;
	HASH_ADD(hh, stacks->table, key, sizeof(kept->key), kept);
}

void json_write_kernel_stack(
	FILE *out, struct json_stacks *stacks, const struct kernel_stack *stack)
{
	const struct key key = {.stack = stack};

	if (!stack)
		fputs("null", out);
	else if (!write_kept(out, stacks, key))
		write_and_keep(
			out, stacks, key, kernel_stack_value(stack, stacks->options->addresses));
}

void json_write_user_stack(
	FILE *out, struct json_stacks *stacks, const struct user_stack *stack, bool hides)
{
	const struct key key = {.stack = stack, .hides = hides};

	if (!stack)
		fputs("null", out);
	else if (!write_kept(out, stacks, key))
		write_and_keep(out, stacks, key, user_stack_value(stack, hides, stacks->options));
}
