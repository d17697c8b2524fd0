// SPDX-License-Identifier: Apache-2.0
/*
 * pprof: the format of `go tool pprof` and its kin, profile.proto, compressed. Each sample has two
 * values, how often and for how long, and labels that tell whose it is.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "profile.pb-c.h"
#include "profile/format.h"
#include "profile/interned.h"
#include "util/memory.h"
#include "util/text.h"

/* Longer names than these are the C compiler's for what profile.proto names. */
typedef Whystuck__Pprof__Profile Profile;
typedef Whystuck__Pprof__ValueType ValueType;
typedef Whystuck__Pprof__Sample Sample;
typedef Whystuck__Pprof__Label Label;
typedef Whystuck__Pprof__Mapping Mapping;
typedef Whystuck__Pprof__Location Location;
typedef Whystuck__Pprof__Line Line;
typedef Whystuck__Pprof__Function Function;

#define LABELS_MAX 7

struct writer {
	const struct profile *profile;
	struct arena *arena;
	struct interned strings;
	struct interned functions; /* by name and file: lines differ from frame to frame */
	uint64_t *function_of;     /* ids, by frame */
	Profile out;
};

/* The number of the string, escaped. */
static int64_t string(struct writer *writer, const char *raw)
{
	const char *clean = raw ? escaped(writer->arena, raw) : "";
	void **kept = interned_find(&writer->strings, clean, strlen(clean));

	if (!*kept)
		*kept = (void *)clean;
	return kept - writer->strings.items;
}

static ValueType *value_type(struct writer *writer, const char *type, const char *unit)
{
	ValueType *made = arena_new(writer->arena, ValueType, 1);

	whystuck__pprof__value_type__init(made);
	made->type = string(writer, type);
	made->unit = string(writer, unit);
	return made;
}

static void add_types(struct writer *writer)
{
	writer->out.n_sample_type = 2;
	writer->out.sample_type = arena_new(writer->arena, ValueType *, 2);
	writer->out.sample_type[0] = value_type(writer, "samples", "count");
	writer->out.sample_type[1] = value_type(writer, "wall", "nanoseconds");
	writer->out.default_sample_type = string(writer, "wall");
	writer->out.period_type = value_type(writer, "wall", "nanoseconds");
}

static void add_mappings(struct writer *writer)
{
	size_t count;
	const struct profile_mapping *const *all = profile_mappings(writer->profile, &count);
	Mapping *made = arena_new(writer->arena, Mapping, count);

	writer->out.n_mapping = count;
	writer->out.mapping = arena_new(writer->arena, Mapping *, count);
	for (size_t i = 0; i < count; i++) {
		Mapping *mapping = writer->out.mapping[i] = &made[i];

		whystuck__pprof__mapping__init(mapping);
		mapping->id = i + 1;
		mapping->memory_start = all[i]->start;
		mapping->memory_limit = all[i]->end;
		mapping->file_offset = all[i]->offset;
		mapping->filename = string(writer, all[i]->path);
		mapping->build_id = string(writer, all[i]->build_id);
		/* Nobody shall look for names again, in files that may be others. */
		mapping->has_functions = mapping->has_filenames = true;
		mapping->has_line_numbers = mapping->has_inline_frames = true;
	}
	/* The first is taken for the program. */
	for (size_t i = 0; i < count; i++) {
		if (!all[i]->is_program)
			continue;
		writer->out.mapping[i] = writer->out.mapping[0];
		writer->out.mapping[0] = &made[i];
		break;
	}
}

static Function *new_function(struct writer *writer, const struct profile_frame *frame)
{
	Function *function = arena_new(writer->arena, Function, 1);

	whystuck__pprof__function__init(function);
	function->name = string(writer, frame->symbol);
	function->system_name = function->name;
	function->filename = string(writer, frame->file);
	return function;
}

static void add_functions(struct writer *writer)
{
	size_t count;
	const struct profile_frame *const *all = profile_frames(writer->profile, &count);

	writer->function_of = arena_new(writer->arena, uint64_t, count);
	for (size_t i = 0; i < count; i++) {
		const void *key[] = {all[i]->symbol, all[i]->file};
		void **kept = interned_find(&writer->functions, key, sizeof(key));

		writer->function_of[i] = (uint64_t)(kept - writer->functions.items) + 1;
		if (*kept)
			continue;
		Function *function = new_function(writer, all[i]);
		function->id = writer->function_of[i];
		*kept = function;
	}
	writer->out.n_function = writer->functions.count;
	writer->out.function = (Function **)writer->functions.items;
}

static Line **lines_of(struct writer *writer, const struct profile_place *place)
{
	Line **lines = arena_new(writer->arena, Line *, place->frame_count);
	Line *made = arena_new(writer->arena, Line, place->frame_count);

	for (size_t i = 0; i < place->frame_count; i++) {
		whystuck__pprof__line__init(&made[i]);
		made[i].function_id = writer->function_of[place->frames[i]->number];
		made[i].line = place->frames[i]->line;
		lines[i] = &made[i];
	}
	return lines;
}

static void add_locations(struct writer *writer)
{
	size_t count;
	const struct profile_place *const *all = profile_places(writer->profile, &count);
	Location *made = arena_new(writer->arena, Location, count);

	writer->out.n_location = count;
	writer->out.location = arena_new(writer->arena, Location *, count);
	for (size_t i = 0; i < count; i++) {
		Location *location = writer->out.location[i] = &made[i];

		whystuck__pprof__location__init(location);
		location->id = i + 1;
		location->mapping_id = all[i]->mapping ? all[i]->mapping->number + 1 : 0;
		location->address = all[i]->address;
		location->n_line = all[i]->frame_count;
		location->line = lines_of(writer, all[i]);
	}
}

static Label *add_label(struct writer *writer, Sample *sample, const char *key)
{
	Label *label = arena_new(writer->arena, Label, 1);

	whystuck__pprof__label__init(label);
	label->key = string(writer, key);
	sample->label[sample->n_label++] = label;
	return label;
}

static void label_number(struct writer *writer, Sample *sample, const char *key, uint64_t number)
{
	if (number)
		add_label(writer, sample, key)->num = (int64_t)number;
}

static void label_string(struct writer *writer, Sample *sample, const char *key, const char *value)
{
	if (value && *value)
		add_label(writer, sample, key)->str = string(writer, value);
}

static Sample *new_sample(struct writer *writer, const struct profile_sample *from)
{
	const char state[] = {from->state, '\0'};
	Sample *sample = arena_new(writer->arena, Sample, 1);

	whystuck__pprof__sample__init(sample);
	sample->n_location_id = from->place_count;
	sample->location_id = arena_new(writer->arena, uint64_t, from->place_count);
	for (size_t i = 0; i < from->place_count; i++)
		sample->location_id[i] = from->places[i]->number + 1;
	sample->n_value = 2;
	sample->value = arena_new(writer->arena, int64_t, 2);
	sample->value[0] = (int64_t)from->count;
	sample->value[1] = (int64_t)from->weight_ns;
	sample->label = arena_new(writer->arena, Label *, LABELS_MAX);
	label_string(writer, sample, "process", from->process);
	label_number(writer, sample, "pid", (uint64_t)from->pid);
	label_string(writer, sample, "thread", from->thread);
	label_number(writer, sample, "tid", (uint64_t)from->tid);
	label_string(writer, sample, "state", arena_strdup(writer->arena, state));
	label_string(writer, sample, "wait", from->wait);
	label_number(writer, sample, "goroutine", from->goroutine);
	return sample;
}

static void add_samples(struct writer *writer)
{
	size_t count;
	struct profile_sample *const *all = profile_samples(writer->profile, &count);

	writer->out.sample = arena_new(writer->arena, Sample *, count);
	for (size_t i = 0; i < count; i++) {
		if (all[i]->count)
			writer->out.sample[writer->out.n_sample++] = new_sample(writer, all[i]);
	}
}

/* Write errors stay in the stream. */
static void write_compressed(uint8_t *bytes, size_t size, FILE *out)
{
	enum { GZIP = 16, ROOM = 64 * 1024 };
	z_stream stream = {0};
	uint8_t *room cleanup_free = allocate(ROOM);
	int result;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP,
		    MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		out_of_memory();
	do {
		/* It counts in less than size_t. */
		uInt piece = size > ROOM ? ROOM : (uInt)size;

		stream.next_in = bytes;
		stream.avail_in = piece;
		bytes += piece;
		size -= piece;
		do {
			stream.next_out = room;
			stream.avail_out = ROOM;
			result = deflate(&stream, size ? Z_NO_FLUSH : Z_FINISH);
			fwrite(room, 1, ROOM - stream.avail_out, out);
		} while (stream.avail_out == 0);
	} while (size || result == Z_OK);
	deflateEnd(&stream);
}

static void write_pprof(const struct profile *profile, const struct recording *recording, FILE *out)
{
	struct arena *arena cleanup_arena = arena_create();
	struct writer writer = {.profile = profile, .arena = arena};
	int64_t comment;

	whystuck__pprof__profile__init(&writer.out);
	string(&writer, "");
	add_types(&writer);
	add_mappings(&writer);
	add_functions(&writer);
	add_locations(&writer);
	add_samples(&writer);
	comment = string(&writer, arena_printf(arena, "whystuck record %s: %llu looks, %llu missed",
					  recording->targets, (unsigned long long)recording->looks,
					  (unsigned long long)recording->missed));
	writer.out.comment = &comment;
	writer.out.n_comment = 1;
	writer.out.time_nanos = recording->began_ns;
	writer.out.duration_nanos = recording->duration_ns;
	writer.out.period = recording->period_ns;
	writer.out.string_table = (char **)writer.strings.items;
	writer.out.n_string_table = writer.strings.count;

	size_t size = whystuck__pprof__profile__get_packed_size(&writer.out);
	uint8_t *bytes cleanup_free = allocate(size + 1);
	whystuck__pprof__profile__pack(&writer.out, bytes);
	write_compressed(bytes, size, out);
	interned_deinit(&writer.strings);
	interned_deinit(&writer.functions);
}

const struct profile_format profile_pprof = {
	.name = "pprof",
	.ending = ".pprof",
	.summary = "samples with labels, for go tool pprof",
	.is_binary = true,
	.write = write_pprof,
};
