// SPDX-License-Identifier: Apache-2.0
/* Who can end the waits of goroutines, and whether anything but goroutines can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "go_waits_fixture.h"
#include "runtimes/go/processors.h"

/* Where the tests put the one processor, whose fields lie far apart. */
enum { AT_P = 0x4c00, AT_ALLP = 0x2900 };

static int setup(void **state)
{
	*state = fixture_create();
	return 0;
}

static int teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void assert_any_goroutine(const struct fixture *fixture, const struct wait *wait)
{
	assert_non_null(wait);
	assert_true(wait->holders_complete);
	assert_false(wait->endless);
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, fixture->process.pid);
	assert_int_equal(wait->holders[0].tid, 0);
	assert_int_equal(wait->holders[0].goroutine, 0);
	assert_int_equal(wait->holders[0].sureness, SURE_MAY);
	assert_string_equal(wait->holders[0].text, "any other goroutine of its process");
}

static void assert_nobody_known(const struct wait *wait)
{
	assert_non_null(wait);
	assert_false(wait->holders_complete);
	assert_int_equal(wait->holder_count, 0);
}

static void channel_of_goroutines(void **state)
{
	struct fixture *fixture = *state;

	fixture->process.pid = 4242;
	put_receivers(fixture);
	put_type(fixture, 0, "int", 8);
	assert_any_goroutine(fixture, wait_of(fixture, 0));
}

/* A timer may send to it. */
static void channel_of_times(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put_type(fixture, 0, "time.Time", 24);
	assert_nobody_known(wait_of(fixture, 0));
}

static void channel_of_what_is_not_known(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	assert_nobody_known(wait_of(fixture, 0));
}

/* Goroutine @number waits for the mutex at AT_LOCK. */
static void put_mutex_wait(struct fixture *fixture, unsigned number)
{
	put_reason(fixture, number, "sync.Mutex.Lock");
	put_sudog(fixture, number, number);
	put64(fixture, sudog_at(number) + fixture->layout->sudog.elem, at(AT_LOCK + 4));
	put_word(fixture, number, 8, sudog_at(number));
	put_word(fixture, number, 12, AT_LOCK + 4);
}

static void lock(void **state)
{
	struct fixture *fixture = *state;

	put_mutex_wait(fixture, 0);
	assert_any_goroutine(fixture, wait_of(fixture, 0));
}

static void wait_that_nobody_ends(void **state)
{
	struct fixture *fixture = *state;

	put_reason(fixture, 0, "chan receive (nil chan)");
	put_reason(fixture, 1, "select (no cases)");
	for (unsigned i = 0; i < 2; i++) {
		assert_nobody_known(wait_of(fixture, i));
		assert_true(wait_of(fixture, i)->endless);
	}
}

static void wait_for_time(void **state)
{
	struct fixture *fixture = *state;

	put_reason(fixture, 0, "finalizer wait");
	assert_nobody_known(wait_of(fixture, 0));
	assert_false(wait_of(fixture, 0)->endless);
}

/* Both goroutines wait for each other, the only thread rests, and so does the only processor. */
static void put_settled(struct fixture *fixture)
{
	const struct go_layout *layout = fixture->layout;

	put_receivers(fixture);
	fixture->thread.role = "idle Go scheduler thread";
	put_slice(fixture, AT_BSS + 0x60, AT_ALLP, 1);
	put64(fixture, AT_ALLP, at(AT_P));
	put64(fixture, AT_P + layout->p.sudogcache, at(AT_P + layout->p.sudogbuf));
	put64(fixture, AT_P + layout->p.sudogcache + 16, 128);
}

/* Why it is not so; NULL: nothing but the goroutines can let one go on. */
static const char *why_open(struct fixture *fixture)
{
	wait_of(fixture, 0);
	assert_int_equal(fixture->process.tasks_closed, !fixture->process.tasks_open);
	return fixture->process.tasks_open;
}

static void nothing_but_goroutines(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	assert_null(why_open(fixture));
}

static void timer_to_fire(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	put64(fixture, AT_P + fixture->layout->p.timers + 8u, 2);
	put32(fixture, AT_P + fixture->layout->p.deleted_timers, 1);
	assert_string_equal(why_open(fixture), "a timer is to fire");
}

static void timers_that_were_stopped(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	put64(fixture, AT_P + fixture->layout->p.timers + 8u, 2);
	put32(fixture, AT_P + fixture->layout->p.deleted_timers, 2);
	assert_null(why_open(fixture));
}

static void processor_at_work(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	put32(fixture, AT_P + fixture->layout->p.status, 1);
	assert_string_equal(why_open(fixture), "its scheduler is at work");
}

static void processor_that_is_none(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	put64(fixture, AT_P + fixture->layout->p.sudogcache, at(AT_P));
	assert_string_equal(why_open(fixture), "the processors of its scheduler were not found");
}

static void two_lists_of_processors(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	put_slice(fixture, AT_BSS + 0x80, AT_ALLP + 0x40, 1);
	put64(fixture, AT_ALLP + 0x40, at(AT_P));
	assert_string_equal(why_open(fixture), "the processors of its scheduler were not found");
}

static void thread_of_nobody(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	fixture->thread.role = NULL;
	assert_string_equal(why_open(fixture), "a thread is there that Go's runtime may not know");
}

static void goroutine_that_runs(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	put32(fixture, AT_G + fixture->layout->g.atomicstatus, GO_RUNNABLE);
	assert_string_equal(why_open(fixture), "a goroutine is at work");
}

static void goroutine_that_sleeps(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	put_reason(fixture, 1, "sleep");
	assert_string_equal(why_open(fixture), "a goroutine sleeps");
}

/* It was parked both times, but has run in between. */
static size_t read_and_move(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	struct fixture *fixture = (struct fixture *)memory;

	/* The processors are looked at between the two looks at the goroutines. */
	if (address == at(AT_P) + fixture->layout->p.status)
		fixture->bytes[AT_G + fixture->layout->g.tracking_seq]++;
	return fixture_read(memory, address, to, length);
}

static void goroutine_that_moves(void **state)
{
	struct fixture *fixture = *state;

	put_settled(fixture);
	fixture->memory.read = read_and_move;
	assert_string_equal(why_open(fixture), "a goroutine has moved");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(channel_of_goroutines),
		TEST(channel_of_times),
		TEST(channel_of_what_is_not_known),
		TEST(lock),
		TEST(wait_that_nobody_ends),
		TEST(wait_for_time),
		TEST(nothing_but_goroutines),
		TEST(timer_to_fire),
		TEST(timers_that_were_stopped),
		TEST(processor_at_work),
		TEST(processor_that_is_none),
		TEST(two_lists_of_processors),
		TEST(thread_of_nobody),
		TEST(goroutine_that_runs),
		TEST(goroutine_that_sleeps),
		TEST(goroutine_that_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
