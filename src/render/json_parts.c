// SPDX-License-Identifier: Apache-2.0
#include "render/json_parts.h"

#include "model/chain.h"

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

static void json_add_goroutine(struct json_object *object, uint64_t id)
{
	if (id)
		json_add_unsigned(object, "goroutine", id);
	else
		json_add_null(object, "goroutine");
}

/* Who stands between the task and the root of its chain, and what each of them waits for. */
static struct json_object *chain_value(const struct wait *wait)
{
	struct json_object *array = json_new_array();
	struct chain chain = {.wait = wait};

	for (const struct holder *holder; (holder = chain_next(&chain));) {
		struct json_object *value = json_new_object();
		const struct wait *next = holder_wait(holder);
		const struct thread *thread = holder->thread;
		pid_t tid = thread ? thread->tid : holder->tid;

		json_add_int_if(value, "pid", holder->pid, holder->pid);
		json_add_int_if(value, "tid", tid, tid);
		json_add_goroutine(value, holder->goroutine);
		json_add_string(value, "comm", holder->process ? holder->process->comm : NULL);
		json_add_string(value, "text", holder->text);
		json_add_string(value, "wait", next ? next->text : NULL);
		json_append(array, value);
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
		json_add_goroutine(value, holder->goroutine);
		json_add_string(value, "sure", holder->sureness == SURE_OWNS ? "owns" : "may");
		if (holder->uncertain)
			json_add_bool(value, "uncertain", true);
		json_add_string(value, "text", holder->text);
		json_append(on, value);
	}
	json_add(object, "on", on);
	if (wait->followed)
		json_add(object, "chain", chain_value(wait));
	if (wait->changed)
		json_add_bool(object, "changed", true);
	if (wait->owner_ended)
		json_add_bool(object, "owner_ended", true);
	if (wait->deadlock)
		json_add_bool(object, "deadlock", true);
	return object;
}

struct json_object *json_deadlock(const struct deadlock *deadlock)
{
	struct json_object *object = json_new_object();
	struct json_object *cycle = json_new_array();

	json_add_bool(object, "certain", deadlock->certain);
	json_add_unsigned(object, "behind", deadlock->behind);
	for (size_t i = 0; i < deadlock->count; i++) {
		const struct deadlock_member *member = &deadlock->members[i];
		struct json_object *value = json_new_object();

		json_add_int(value, "pid", member->process->pid);
		json_add_int_if(
			value, "tid", member->thread, member->thread ? member->thread->tid : 0);
		json_add_goroutine(value, member->goroutine ? member->goroutine->id : 0);
		json_add_string(value, "text", member->text);
		json_append(cycle, value);
	}
	json_add(object, "cycle", cycle);
	return object;
}
