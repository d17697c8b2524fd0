// SPDX-License-Identifier: Apache-2.0
#include "render/json_parts.h"

struct json_object *json_gaps(const struct gaps *gaps)
{
	struct json_object *array = json_new_array();

	for_each_gap (gap, gaps) {
		struct json_object *object = json_new_object();

		json_add_string(object, "stage", stage_name(gap->stage));
		json_add_string(object, "reason", gap->reason);
		json_append(array, object);
	}
	return array;
}

struct json_object *json_wait(const struct wait *wait)
{
	struct json_object *object = json_new_object();
	struct json_object *on = json_new_array();

	json_add_string(object, "kind", wait->kind);
	json_add_string(object, "text", wait->text);
	json_add_bool(object, "idle", wait->idle);
	for (size_t i = 0; i < wait->holder_count; i++) {
		const struct holder *holder = &wait->holders[i];
		if (!holder->pid) /* nobody on this machine */
			continue;
		struct json_object *value = json_new_object();

		json_add_int(value, "pid", holder->pid);
		json_add_int_if(value, "tid", holder->tid, holder->tid);
		if (holder->goroutine)
			json_add_unsigned(value, "goroutine", holder->goroutine);
		else
			json_add_null(value, "goroutine");
		json_add_string(value, "sure", holder->sureness == SURE_OWNS ? "owns" : "may");
		if (holder->uncertain)
			json_add_bool(value, "uncertain", true);
		json_add_string(value, "text", holder->text);
		json_append(on, value);
	}
	json_add(object, "on", on);
	return object;
}
