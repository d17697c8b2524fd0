// SPDX-License-Identifier: Apache-2.0
/* Profiles of looks that are made up: what is counted, and what the formats make of it. */
#include "render_fixture.h"

#include <zlib.h>

#include "profile.pb-c.h"
#include "profile/call_tree.h"
#include "profile/format.h"

static const struct profile_options everything = {.kernel = true, .user = true};
static const struct recording recording = {
	.began_ns = 1700000000 * NS_PER_SECOND,
	.duration_ns = NS_PER_SECOND,
	.period_ns = NS_PER_SECOND / 100,
	.looks = 100,
	.targets = "accept <&>",
};

/* What the format writes; the caller frees it. */
static char *written(
	const struct profile_format *format, const struct profile *profile, size_t *length)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, length);

	format->write(profile, &recording, out);
	assert_int_equal(fclose(out), 0);
	return bytes;
}

static void assert_written(
	const struct profile_format *format, const struct profile *profile, const char *expected)
{
	size_t length;
	char *bytes = written(format, profile, &length);

	assert_string_equal(bytes, expected);
	free(bytes);
}

static void looks_add_up(void **state)
{
	struct profile *profile = profile_create(&everything);
	struct look *first = look_create(), *second = look_create();

	(void)state;
	struct process *process = add_process(first, 10, "a;b", 2);
	set_user_stack(first, &process->threads[0], server_frames, 1);
	set_user_stack(first, &process->threads[1], &server_frames[2], 1);
	profile_add(profile, first, 5);
	process = add_process(second, 10, "a;b", 1);
	set_user_stack(second, &process->threads[0], server_frames, 1);
	profile_add(profile, second, 7);
	assert_int_equal(profile_sample_total(profile), 3);
	assert_written(&profile_folded, profile, "a:b;accept 2\na:b;server_accept 1\n");
	size_t count;
	struct profile_sample *const *samples = profile_samples(profile, &count);
	assert_int_equal(count, 2);
	assert_int_equal(samples[0]->weight_ns, 12);
	assert_int_equal(samples[1]->weight_ns, 5);
	profile_destroy(profile);
	look_destroy(first);
	look_destroy(second);
}

/* The very same process, as looks give it that found nothing moved. */
static void what_stays_is_counted_again(void **state)
{
	struct profile *profile = profile_create(&everything);
	struct look *look = look_create(), *later = look_create();

	(void)state;
	add_server(look);
	later->processes[later->process_count++] = look->processes[0];
	profile_add(profile, look, 1);
	profile_add(profile, later, 1);
	profile_add(profile, later, 1);
	assert_int_equal(profile_sample_total(profile), 3);
	assert_written(&profile_folded, profile,
		"accept;main;[accept];<signal handler called>;server_accept;wait_for_client_[i];"
		"accept;entry_SYSCALL_64_after_hwframe_[k];nfs_wait_[k];inet_accept_[k];"
		"inet_csk_accept_[k] 3\n");
	profile_destroy(profile);
	look_destroy(later);
	look_destroy(look);
}

static void another_state_is_another_sample(void **state)
{
	struct profile *profile = profile_create(&everything);
	struct look *first = look_create(), *second = look_create();
	size_t count;

	(void)state;
	add_process(first, 10, "p", 1)->threads[0].state = 'S';
	add_process(second, 10, "p", 1)->threads[0].state = 'R';
	profile_add(profile, first, 1);
	profile_add(profile, second, 1);
	struct profile_sample *const *samples = profile_samples(profile, &count);
	assert_int_equal(count, 2);
	assert_false(samples[0]->is_running);
	assert_true(samples[1]->is_running);
	profile_destroy(profile);
	look_destroy(first);
	look_destroy(second);
}

static Whystuck__Pprof__Profile *unpacked(const struct profile *profile)
{
	enum { GZIP = 16, ROOM = 1 << 20 };
	size_t length;
	char *bytes = written(&profile_pprof, profile, &length);
	uint8_t *room = malloc(ROOM);
	z_stream stream = {.next_in = (uint8_t *)bytes,
		.avail_in = (uInt)length,
		.next_out = room,
		.avail_out = ROOM};

	assert_int_equal(inflateInit2(&stream, MAX_WBITS + GZIP), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	Whystuck__Pprof__Profile *read =
		whystuck__pprof__profile__unpack(NULL, stream.total_out, room);
	assert_non_null(read);
	inflateEnd(&stream);
	free(room);
	free(bytes);
	return read;
}

static const char *label_of(const Whystuck__Pprof__Profile *read,
	const Whystuck__Pprof__Sample *sample, const char *key)
{
	for (size_t i = 0; i < sample->n_label; i++) {
		if (strcmp(read->string_table[sample->label[i]->key], key) == 0)
			return read->string_table[sample->label[i]->str];
	}
	return NULL;
}

static void pprof_has_inlined_frames_in_one_location(void **state)
{
	struct profile *profile = profile_create(&everything);
	struct look *look = look_create();

	(void)state;
	add_server(look);
	profile_add(profile, look, 10);
	Whystuck__Pprof__Profile *read = unpacked(profile);
	assert_string_equal(read->string_table[0], "");
	assert_string_equal(read->string_table[read->sample_type[0]->type], "samples");
	assert_string_equal(read->string_table[read->sample_type[1]->unit], "nanoseconds");
	assert_int_equal(read->n_sample, 1);
	const Whystuck__Pprof__Sample *sample = read->sample[0];
	assert_int_equal(sample->value[0], 1);
	assert_int_equal(sample->value[1], 10);
	assert_string_equal(label_of(read, sample, "process"), "accept");
	size_t inlined = 0;
	for (size_t i = 0; i < sample->n_location_id; i++) {
		const Whystuck__Pprof__Location *location =
			read->location[sample->location_id[i] - 1];

		assert_int_equal(location->id, sample->location_id[i]);
		if (location->n_line != 2)
			continue;
		inlined++;
		assert_string_equal(
			read->string_table[read->function[location->line[0]->function_id - 1]
						   ->name],
			"wait_for_client");
		assert_string_equal(
			read->string_table[read->function[location->line[1]->function_id - 1]
						   ->name],
			"server_accept");
	}
	assert_int_equal(inlined, 1);
	whystuck__pprof__profile__free_unpacked(read, NULL);
	profile_destroy(profile);
	look_destroy(look);
}

static void names_are_no_markup(void **state)
{
	struct frame frames[] = {{.symbol = "]]></script><script>\"'&\xff\x1b", .kind = "native"},
		{.symbol = "\xef\xbf\xbf", .kind = "go"}}; /* U+FFFF, which XML does not know */
	struct profile *profile = profile_create(&everything);
	struct look *look = look_create();
	size_t length;

	(void)state;
	struct process *process = add_process(look, 10, "<g>", 1);
	set_user_stack(look, &process->threads[0], frames, 2);
	profile_add(profile, look, 10);
	char *bytes = written(&profile_svg, profile, &length);
	assert_null(strstr(bytes, "<g>\n"));
	assert_non_null(strstr(
		bytes, "<title>]]&gt;&lt;/script&gt;&lt;script&gt;&quot;'&amp;\\xff\\x1b\n"));
	assert_null(strstr(bytes, "\xef\xbf\xbf"));
	assert_non_null(strstr(bytes, "accept &lt;&amp;&gt;"));
	assert_ptr_equal(strstr(strstr(bytes, "<script>") + 1, "<script>"), NULL);
	free(bytes);
	profile_destroy(profile);
	look_destroy(look);
}

static void a_tree_adds_up_at_each_level(void **state)
{
	struct profile *profile = profile_create(&everything);
	struct look *look = look_create();
	struct arena *arena = arena_create();

	(void)state;
	struct process *process = add_process(look, 10, "p", 3);
	for (size_t i = 0; i < 3; i++)
		set_user_stack(look, &process->threads[i], server_frames, 1 + i % 2);
	process->threads[2].state = 'R';
	profile_add(profile, look, 10);
	const struct call *root = call_tree(profile, arena);
	assert_int_equal(root->size, 30);
	assert_int_equal(root->count, 3);
	assert_string_equal(root->first->name, "running");
	assert_int_equal(root->first->size, 10);
	assert_int_equal(root->first->next->size, 20);
	assert_null(root->first->next->next);
	arena_destroy(arena);
	profile_destroy(profile);
	look_destroy(look);
}

static void a_profile_of_nothing_can_be_written(void **state)
{
	struct profile *profile = profile_create(&everything);
	size_t length;

	(void)state;
	for (size_t i = 0; profile_formats[i]; i++)
		free(written(profile_formats[i], profile, &length));
	profile_destroy(profile);
}

static void formats_are_found_by_endings(void **state)
{
	(void)state;
	assert_ptr_equal(profile_format_of_file("a/x.svg"), &profile_svg);
	assert_ptr_equal(profile_format_of_file("x.pb.gz"), &profile_pprof);
	assert_ptr_equal(profile_format_of_file("x.pprof"), &profile_pprof);
	assert_null(profile_format_of_file(".svg"));
	assert_null(profile_format_of_file("x.svg.txt"));
	assert_null(profile_format_find("text"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_add_up),
		cmocka_unit_test(what_stays_is_counted_again),
		cmocka_unit_test(another_state_is_another_sample),
		cmocka_unit_test(pprof_has_inlined_frames_in_one_location),
		cmocka_unit_test(names_are_no_markup),
		cmocka_unit_test(a_tree_adds_up_at_each_level),
		cmocka_unit_test(a_profile_of_nothing_can_be_written),
		cmocka_unit_test(formats_are_found_by_endings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
