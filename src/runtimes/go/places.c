// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/places.h"

#include <stdlib.h>
#include <string.h>

#include "runtimes/go/functions.h"
#include "util/memory.h"

static const struct go_module *module_of(const struct go_process *go, uint64_t pc)
{
	for (size_t i = 0; i < go->module_count; i++) {
		const struct go_pclntab *table = &go->modules[i].table;

		if (pc >= table->text && pc < table->etext)
			return &go->modules[i];
	}
	return NULL;
}

static struct go_place *make_place(struct go_process *go, struct code_address address)
{
	struct go_place *place = arena_new(go->arena, struct go_place, 1);

	place->address = address;
	place->module = module_of(go, address.value);
	/* The runtime goes by the address itself, be it a return address. */
	if (place->module && !go_function_find(&place->module->table, address.value,
				     &place->function, go->arena))
		place->module = NULL;
	if (place->module)
		place->has_frame_size = go_frame_size(
			&place->module->table, &place->function, address.value, &place->frame_size);
	return place;
}

static bool is_place(const struct go_place *place, struct code_address address)
{
	return place && place->address.value == address.value &&
	       place->address.is_return == address.is_return;
}

struct go_place *go_place_find(
	struct go_process *go, struct go_place *before, struct code_address address)
{
	size_t number;

	if (before && is_place(before->next, address))
		return before->next;
	if (address_table_add(&go->place_table, address.value, address.is_return, &number)) {
		if (number >= go->place_capacity) {
			go->place_capacity = go->place_capacity ? 2 * go->place_capacity : 64;
			go->places =
				reallocate(go->places, go->place_capacity, sizeof(*go->places));
		}
		go->places[number] = make_place(go, address);
	}
	if (before)
		before->next = go->places[number];
	return go->places[number];
}

/* A generic function's name as it is printed: traceback.go, funcNameForPrint(). */
static const char *printed_name(const char *name, struct arena *arena)
{
	const char *open = strchr(name, '['), *close = strrchr(name, ']');

	if (!open || !close || close <= open)
		return name;
	return arena_printf(arena, "%.*s[...]%s", (int)(open - name), name, close + 1);
}

const struct frame *go_place_frames(struct go_process *go, struct go_place *place)
{
	struct go_call calls[GO_INLINE_MAX];

	if (place->frames || !place->module)
		return place->frames;
	/* Where nothing was called yet the byte before is another function's. */
	uint64_t lookup = place->address.value;
	if (place->address.is_return && lookup > place->function.entry)
		lookup--;
	place->frame_count =
		go_calls_find(&place->module->table, &place->function, lookup, calls, go->arena);
	place->calls = arena_copy(go->arena, calls, place->frame_count * sizeof(*calls));
	place->frames = arena_new(go->arena, struct frame, 2 * place->frame_count);
	place->hidden_frames = place->frames + place->frame_count;
	const struct module *file = place->module->file;
	for (size_t i = 0; i < place->frame_count; i++) {
		bool inlined = i + 1 < place->frame_count;

		place->frames[i] = (struct frame){
			.address = place->address,
			.symbol = printed_name(calls[i].name, go->arena),
			.has_offset = !inlined,
			.module = file ? file->path : NULL,
			.build_id = file ? file->image->build_id : NULL,
			.offset = inlined ? 0 : place->address.value - place->function.entry,
			.file = calls[i].file,
			.line = calls[i].line,
			.inlined = inlined,
			.uncertain = go->uncertain,
			.kind = "go",
		};
		place->hidden_frames[i] = place->frames[i];
		place->hidden_frames[i].hidden = true;
	}
	return place->frames;
}

size_t go_code_name(
	const struct code *code, struct code_address address, const struct frame **frames)
{
	struct go_process *go = (struct go_process *)code;
	struct go_place *place = go_place_find(go, NULL, address);

	*frames = go_place_frames(go, place);
	return place->frame_count;
}

const struct frame *go_place_function(struct go_process *go, struct go_place *place)
{
	go_place_frames(go, place);
	return place->frame_count ? &place->frames[place->frame_count - 1] : NULL;
}

/* traceback.go, printcreatedby(): the function that is not inlined, with the innermost line. */
const struct frame *go_place_creator(struct go_process *go, struct go_place *place)
{
	const struct frame *function = go_place_function(go, place);

	if (!function || place->creator)
		return place->creator;
	struct frame *creator = arena_copy(go->arena, function, sizeof(*function));
	creator->file = place->frames[0].file;
	creator->line = place->frames[0].line;
	place->creator = creator;
	return creator;
}

/* How the traceback has come along. */
struct hiding {
	bool is_first;        /* nothing was shown yet */
	bool callee_is_panic; /* the frame before is that of a panic */
};

static bool hides(struct go_process *go, struct hiding *hiding, const struct go_call *call)
{
	bool hidden = (call->is_wrapper && !hiding->callee_is_panic) ||
		      go_is_hidden(call->name, hiding->is_first, go->layout->minor);

	hiding->callee_is_panic = call->is_panic;
	hiding->is_first &= hidden;
	return hidden;
}

void go_hide_frames(struct go_process *go, struct user_stack *stack, size_t first)
{
	struct hiding hiding = {.is_first = true};

	for (size_t i = 0, at = 0; i < stack->address_count && at < stack->frame_count; i++) {
		struct go_place *place = go_place_find(go, NULL, stack->addresses[i]);
		bool is_last = false;

		go_place_frames(go, place);
		for (size_t j = 0; at < stack->frame_count && !is_last; j++, at++) {
			is_last = !stack->frames[at]->inlined;
			if (j >= place->frame_count)
				continue;
			bool hidden = i < first || hides(go, &hiding, &place->calls[j]);
			stack->frames[at] = hidden ? &place->hidden_frames[j] : &place->frames[j];
		}
	}
}

void go_places_deinit(struct go_process *go)
{
	address_table_deinit(&go->place_table);
	free(go->places);
	go->places = NULL;
}
