// SPDX-License-Identifier: Apache-2.0
#include "golden.h"
#include "render_fixture.h"

#include <json-c/json.h>

/* What the renderer wrote, parsed back; the caller puts it. */
static struct json_object *parsed(struct look *look, const struct render_options *options)
{
	char *output = rendered(&renderer_json, look, options);
	struct json_object *value = json_tokener_parse(output);

	assert_non_null(value);
	free(output);
	return value;
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, key, &value));
	return value;
}

static struct json_object *first(struct json_object *object, const char *key)
{
	return json_object_array_get_idx(get(object, key), 0);
}

static void assert_member(struct json_object *object, const char *key, const char *expected)
{
	assert_string_equal(json_object_get_string(get(object, key)), expected);
}

static void server_blocked_in_accept(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.process_info = options.addresses = true;
	add_info(look, add_server(look));
	gaps_add(&look->gaps, look->arena, STAGE_PROCESS, "nosuch: no process has that name");

	char *output = rendered(&renderer_json, look, &options);
	assert_golden("json-server.json", output);
	free(output);
	look_destroy(look);
}

static void empty_look_is_an_object(void **state)
{
	struct look *look = look_create();

	(void)state;
	struct json_object *value = parsed(look, &all_options);
	assert_int_equal(json_object_get_int(get(value, "schema")), 1);
	assert_int_equal(json_object_array_length(get(value, "processes")), 0);
	assert_int_equal(json_object_array_length(get(value, "gaps")), 0);
	json_object_put(value);
	look_destroy(look);
}

static void unknown_facts_are_null(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 1, "p", 1);

	(void)state;
	process->exe = process->cwd = NULL;
	process->started_at_ns = -1;
	process->threads[0].blocked_ns = -1;

	struct json_object *value = parsed(look, &all_options);
	struct json_object *shown = first(value, "processes");
	assert_null(get(shown, "exe"));
	assert_null(get(shown, "cwd"));
	assert_null(get(shown, "started_at"));
	assert_false(json_object_object_get_ex(shown, "info", NULL));

	struct json_object *thread = first(shown, "threads");
	assert_null(get(thread, "blocked_ns"));
	assert_null(get(thread, "kernel_stack"));
	assert_null(get(thread, "syscall"));
	assert_null(get(thread, "user_stack"));
	assert_null(get(thread, "user_stack_end"));
	assert_null(get(thread, "wait"));
	json_object_put(value);
	look_destroy(look);
}

static void stacks_that_are_left_out_are_null(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();

	(void)state;
	options.kernel = options.user = false;
	add_server(look);

	struct json_object *value = parsed(look, &options);
	struct json_object *thread = first(first(value, "processes"), "threads");
	assert_null(get(thread, "kernel_stack"));
	assert_null(get(thread, "user_stack"));
	assert_null(get(thread, "user_stack_end"));
	json_object_put(value);
	look_destroy(look);
}

static void threads_are_never_grouped(void **state)
{
	struct render_options options = all_options;
	struct look *look = look_create();
	struct process *process = add_process(look, 10, "pool", 5);

	(void)state;
	options.grouping = GROUP_ALWAYS;
	for (size_t i = 0; i < 5; i++)
		set_user_stack(look, &process->threads[i], server_frames, SERVER_FRAME_COUNT);

	struct json_object *value = parsed(look, &options);
	struct json_object *threads = get(first(value, "processes"), "threads");
	assert_int_equal(json_object_array_length(threads), 5);
	for (size_t i = 0; i < 5; i++) {
		struct json_object *thread = json_object_array_get_idx(threads, i);

		assert_int_equal(json_object_get_int(get(thread, "tid")), 10 + i);
		assert_int_equal(
			json_object_array_length(get(thread, "user_stack")), SERVER_FRAME_COUNT);
	}
	json_object_put(value);
	look_destroy(look);
}

/* Valid UTF-8 is kept, each other byte is four characters; NUL-free, so one string is all. */
static const char hostile_in_json[] = "a\033[31m\n\t\"\\\\xff\\xfe\u202eb;c\x7f\xc2\x9b";

static void hostile_names_come_back_as_they_were(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_hostile(look);

	struct json_object *value = parsed(look, &all_options);
	struct json_object *process = first(value, "processes");
	assert_member(process, "comm", hostile_in_json);
	assert_member(process, "exe", hostile_in_json);
	assert_member(process, "cwd", hostile_in_json);
	assert_member(process, "container", hostile_in_json);
	assert_string_equal(json_object_get_string(first(process, "cmdline")), hostile_in_json);

	struct json_object *thread = first(process, "threads");
	assert_member(thread, "comm", hostile_in_json);
	assert_member(thread, "wchan", hostile_in_json);
	assert_member(thread, "user_stack_end", "unreadable");
	assert_member(first(thread, "kernel_stack"), "symbol", hostile_in_json);

	struct json_object *frame = first(thread, "user_stack");
	assert_member(frame, "symbol", hostile_in_json);
	assert_true(json_object_get_uint64(get(frame, "offset")) == UINT64_MAX);
	assert_member(json_object_array_get_idx(get(thread, "user_stack"), 1), "address",
		"0xffffffffffffffff");
	json_object_put(value);
	look_destroy(look);
}

static void output_holds_no_byte_that_a_terminal_obeys(void **state)
{
	struct look *look = look_create();

	(void)state;
	add_hostile(look);
	look->processes[0]->cwd = "tag \U000e0041 nbsp \u00a0 кот";

	char *output = rendered(&renderer_json, look, &all_options);
	for (const unsigned char *at = (const unsigned char *)output; *at; at++)
		assert_true(*at == '\n' || (*at >= ' ' && *at != 0x7f));
	assert_null(strstr(output, "\u202e"));
	assert_null(strstr(output, "\xc2\x9b"));
	assert_non_null(strstr(output, "\\u202e"));
	assert_non_null(strstr(output, "\\udb40\\udc41 nbsp \u00a0 кот"));
	free(output);

	struct json_object *value = parsed(look, &all_options);
	assert_member(first(value, "processes"), "cwd", "tag \U000e0041 nbsp \u00a0 кот");
	json_object_put(value);
	look_destroy(look);
}

static void strings_of_all_bytes_stay_valid(void **state)
{
	struct look *look = look_create();
	struct process *process = add_process(look, 1, "p", 0);
	char pairs[255 * 2 + 1] = "";

	(void)state;
	for (int second = 1; second < 256; second++) {
		for (int byte = 1; byte < 256; byte++) {
			pairs[2 * (byte - 1)] = (char)byte;
			pairs[2 * (byte - 1) + 1] = (char)second;
		}
		process->exe = pairs;
		json_object_put(parsed(look, &all_options));
	}
	look_destroy(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_blocked_in_accept),
		cmocka_unit_test(empty_look_is_an_object),
		cmocka_unit_test(unknown_facts_are_null),
		cmocka_unit_test(stacks_that_are_left_out_are_null),
		cmocka_unit_test(threads_are_never_grouped),
		cmocka_unit_test(hostile_names_come_back_as_they_were),
		cmocka_unit_test(output_holds_no_byte_that_a_terminal_obeys),
		cmocka_unit_test(strings_of_all_bytes_stay_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
