// SPDX-License-Identifier: Apache-2.0
#include "top_fixture.h"

#include "top/facts.h"

static void sentences_differ_but_not_for_how_long_something_takes(void **state)
{
	(void)state;
	assert_int_equal(sentence_print("sleeps until 14:03:22, 4.2 s left"),
		sentence_print("sleeps until 14:03:22, 850 ms left"));
	assert_int_equal(sentence_print("at most 2 h 7 min"), sentence_print("at most 1 h 1 min"));
	assert_int_not_equal(
		sentence_print("data on 3<pipe:[7]>"), sentence_print("data on 3<pipe:[8]>"));
	assert_int_not_equal(sentence_print("0 of 5 queued"), sentence_print("1 of 5 queued"));
	assert_int_not_equal(
		sentence_print("waits for 7 steps"), sentence_print("waits for 8 steps"));
	assert_int_not_equal(sentence_print("on sda1 s"), sentence_print("on sda2 s"));
	assert_int_equal(sentence_print(NULL), sentence_print(""));
}

/* The look after @look, a second later, with nothing changed. */
static struct look *next_look(const struct look *look)
{
	struct look *next = look_create();

	add_plights(next);
	next->taken_at_ns = look->taken_at_ns + NS_PER_SECOND;
	for (size_t i = 0; i < PLIGHTS; i++) {
		struct thread *thread = &next->processes[0]->threads[i];

		if (thread->blocked_ns >= 0)
			thread->blocked_ns += NS_PER_SECOND;
	}
	return next;
}

struct two_looks {
	struct look *first, *second;
	struct facts *before, *after;
};

static int setup(void **state)
{
	struct two_looks *looks = calloc(1, sizeof(*looks));

	looks->first = look_create();
	add_plights(looks->first);
	looks->before = facts_create(looks->first, NULL);
	looks->second = next_look(looks->first);
	*state = looks;
	return 0;
}

static int teardown(void **state)
{
	struct two_looks *looks = *state;

	facts_destroy(looks->before);
	facts_destroy(looks->after);
	look_destroy(looks->first);
	look_destroy(looks->second);
	free(looks);
	return 0;
}

static uint32_t changed(struct two_looks *looks, pid_t tid)
{
	if (!looks->after)
		looks->after = facts_create(looks->second, looks->before);

	const struct thread_facts *facts = facts_find(looks->after, RESTING, tid);
	assert_non_null(facts);
	return facts->changed;
}

static void a_thread_that_held_still_has_not_changed(void **state)
{
	for (pid_t tid = RESTING; tid < RESTING + PLIGHTS; tid++)
		assert_int_equal(changed(*state, tid), 0);
	assert_int_equal(((struct two_looks *)*state)->after->ended, 0);
}

static void each_facet_that_changes_is_told(void **state)
{
	struct two_looks *looks = *state;
	struct look *look = looks->second;

	thread_of(look, WAITING)->state = 'D';
	thread_of(look, HOLDING)->blocked_ns = 20 * NS_PER_MS;
	thread_of(look, HELD)->wait->holders[0].tid = WAITING;
	set_wait(look, thread_of(look, STUCK), "disk", "another disk", false);
	set_accept_call(look, thread_of(look, RUNNING));
	set_kernel_stack(look, thread_of(look, RESTING));
	set_user_stack(look, thread_of(look, RESTING), server_frames, SERVER_FRAME_COUNT);
	assert_int_equal(changed(looks, WAITING), 1u << FACET_STATE);
	assert_int_equal(changed(looks, HOLDING), 1u << FACET_TIME);
	assert_int_equal(changed(looks, HELD), 1u << FACET_HOLDER);
	assert_int_equal(changed(looks, STUCK), 1u << FACET_WAIT);
	assert_int_equal(changed(looks, RUNNING), 1u << FACET_SYSCALL);
	assert_int_equal(changed(looks, RESTING), 1u << FACET_KERNEL | 1u << FACET_USER);
}

static void a_thread_that_ran_and_sleeps_again_has_run_however_long_it_slept_before(void **state)
{
	struct two_looks *looks = *state;

	thread_of(looks->first, HOLDING)->blocked_ns = 1 * NS_PER_MS;
	facts_destroy(looks->before);
	looks->before = facts_create(looks->first, NULL);
	thread_of(looks->second, HOLDING)->blocked_ns = 600 * NS_PER_MS; /* of a second between */
	assert_int_equal(changed(looks, HOLDING), 1u << FACET_TIME);
}

static void new_threads_and_those_that_ended_are_told(void **state)
{
	struct two_looks *looks = *state;
	struct process *process = looks->second->processes[0];

	process->thread_count = PLIGHTS - 2; /* the last two have ended */
	add_process(looks->second, 7, "new", 2);
	looks->after = facts_create(looks->second, looks->before);
	assert_int_equal(looks->after->ended, 2);
	assert_true(facts_find(looks->after, 7, 8)->is_new);
	assert_false(facts_find(looks->after, RESTING, RESTING)->is_new);
	assert_null(facts_find(looks->after, RESTING, WAITING));
	assert_null(facts_find(NULL, 1, 1));
}

static void an_id_of_another_process_is_another_thread(void **state)
{
	struct two_looks *looks = *state;

	looks->second->processes[0]->pid = 99;
	looks->after = facts_create(looks->second, looks->before);
	assert_int_equal(looks->after->ended, PLIGHTS);
	assert_true(facts_find(looks->after, 99, HELD)->is_new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences_differ_but_not_for_how_long_something_takes),
		cmocka_unit_test_setup_teardown(
			a_thread_that_held_still_has_not_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(each_facet_that_changes_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_thread_that_ran_and_sleeps_again_has_run_however_long_it_slept_before,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			new_threads_and_those_that_ended_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_id_of_another_process_is_another_thread, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
