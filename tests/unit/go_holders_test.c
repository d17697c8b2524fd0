// SPDX-License-Identifier: Apache-2.0
/* Who can end the waits of goroutines, and whether anything but goroutines can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "go_waits_fixture.h"
#include "runtimes/go/pclntab.h"
#include "runtimes/go/processors.h"
#include "runtimes/go/settled.h"

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

/* Where main.worker's frame begins in a goroutine's stack, in words: two of them are variables. */
enum { WORKER_SLOT = (GOPARK_FRAME + 8) / 8, AT_MAPS = AT_TREE + 0x100 };

/* The funcdata of main.worker of that number is at AT_TREE plus @offset. */
static void put_funcdata(struct fixture *fixture, unsigned number, uint32_t offset)
{
	uint64_t data = AT_FUNCTIONS + 0x100 + fixture->layout->func.nfuncdata + 1u;

	put32(fixture, data + 3 * 4 + number * 4u, offset);
}

/*
 * Goroutine 0 waits for the mutex, and goroutine 1, which waits for something else, has its address
 * in its second variable. @live: a bit for each of the two.
 */
static void put_candidate(struct fixture *fixture, uint8_t live)
{
	fixture->process.pid = 4242;
	put_mutex_wait(fixture, 0);
	put_reason(fixture, 1, "finalizer wait");
	put_word(fixture, 1, WORKER_SLOT + 1, AT_LOCK);
	put_funcdata(fixture, GO_FUNCDATA_LOCALS, 0x100);
	put32(fixture, AT_MAPS, 1);
	put32(fixture, AT_MAPS + 4, 2);
	fixture->bytes[AT_MAPS + 8] = live;
}

static void assert_candidate(struct fixture *fixture)
{
	const struct wait *wait = wait_of(fixture, 0);

	assert_non_null(wait);
	assert_int_equal(wait->holder_count, 2);
	assert_int_equal(wait->holders[0].pid, 4242);
	assert_int_equal(wait->holders[0].goroutine, 6);
	assert_int_equal(wait->holders[0].sureness, SURE_MAY);
	assert_true(wait->holders[0].uncertain);
	assert_string_equal(wait->holders[0].text, "has it on its stack");
	assert_string_equal(wait->holders[1].text, "any other goroutine of its process");
	assert_true(wait->holders_complete);
}

static void address_in_use_on_a_stack(void **state)
{
	put_candidate(*state, 2);
	assert_candidate(*state);
}

static void address_left_over_on_a_stack(void **state)
{
	struct fixture *fixture = *state;

	put_candidate(fixture, 1);
	assert_any_goroutine(fixture, wait_of(fixture, 0));
}

static void other_that_waits_for_the_same(void **state)
{
	struct fixture *fixture = *state;

	put_candidate(fixture, 2);
	put_mutex_wait(fixture, 1);
	put_word(fixture, 1, WORKER_SLOT + 1, AT_LOCK);
	assert_any_goroutine(fixture, wait_of(fixture, 0));
}

/* The second variable is one that has an address, and the first points to it or does not. */
static void put_object(struct fixture *fixture, uint64_t pointer)
{
	const int32_t record[] = {-8, 8, 8, 0};

	put_candidate(fixture, 1);
	put_word(fixture, 1, WORKER_SLOT, pointer);
	put_funcdata(fixture, GO_FUNCDATA_STACK_OBJECTS, 0x120);
	put64(fixture, AT_MAPS + 0x20, 1);
	memcpy(fixture->bytes + AT_MAPS + 0x28, record, sizeof(record));
}

static void variable_that_is_pointed_to(void **state)
{
	struct fixture *fixture = *state;

	put_object(fixture, AT_STACK + 0x400 + 0x100 + 8 * (WORKER_SLOT + 1));
	assert_candidate(fixture);
}

static void variable_that_nothing_points_to(void **state)
{
	struct fixture *fixture = *state;

	put_object(fixture, AT_STACK + 0x400 + 0x100 + 8 * WORKER_SLOT);
	assert_any_goroutine(fixture, wait_of(fixture, 0));
}

static void map_with_no_end(void **state)
{
	struct fixture *fixture = *state;

	put_candidate(fixture, 2);
	put32(fixture, AT_MAPS + 4, UINT32_MAX);
	assert_any_goroutine(fixture, wait_of(fixture, 0));
}

/* Its stack is read once with all others, and once more: by then it has run. */
static size_t read_and_run(const struct memory *memory, uint64_t address, void *to, size_t length)
{
	struct fixture *fixture = (struct fixture *)memory;

	if (address == at(AT_STACK + 0x400 + 0x100))
		fixture->bytes[AT_LOCK + 0x80]++;
	if (fixture->bytes[AT_LOCK + 0x80] == 2)
		fixture->bytes[AT_G + 0x400 + fixture->layout->g.tracking_seq] = 1;
	return fixture_read(memory, address, to, length);
}

static void candidate_that_moves(void **state)
{
	struct fixture *fixture = *state;

	put_candidate(fixture, 2);
	fixture->memory.read = read_and_run;
	assert_any_goroutine(fixture, wait_of(fixture, 0));
	assert_int_equal(fixture->bytes[AT_LOCK + 0x80], 2);
}

/* Who waits for a lock behind one that wants to write is held up by that one. */
static void reader_behind_a_writer(void **state)
{
	struct fixture *fixture = *state;
	const struct go_layout *layout = fixture->layout;

	fixture->process.pid = 4242;
	for (unsigned i = 0; i < 2; i++) {
		put_reason(fixture, i, i ? "sync.RWMutex.Lock" : "sync.RWMutex.RLock");
		put_sudog(fixture, i, i);
		put64(fixture, sudog_at(i) + layout->sudog.elem, at(AT_LOCK + (i ? 8 : 12)));
		put_word(fixture, i, 8, sudog_at(i));
		put_word(fixture, i, 12, AT_LOCK + (i ? 8 : 12));
	}
	const struct wait *wait = wait_of(fixture, 0);
	assert_int_equal(wait->holder_count, 2);
	assert_int_equal(wait->holders[0].goroutine, 6);
	assert_false(wait->holders[0].uncertain);
	assert_string_equal(wait->holders[0].text, "is before it, to write");
	assert_any_goroutine(fixture, wait_of(fixture, 1));
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

/* What is read of a goroutine to see whether it has run holds all that tells. */
static void part_that_tells_of_a_run(void **state)
{
	(void)state;
	for (unsigned minor = GO_FIRST_MINOR; minor <= GO_LAST_MINOR; minor++) {
		bool uncertain;
		const struct go_layout *layout = go_layout_find(minor, &uncertain);
		unsigned end = layout->g.m + GO_SETTLING_SIZE;

		assert_true(layout->g.m < layout->g.sched_sp && end <= layout->g.size);
		assert_true(layout->g.goid + 8u <= end && layout->g.syscallpc + 8u <= end);
		assert_true(layout->g.waitreason < end && layout->g.atomicstatus + 4u <= end);
		assert_true(layout->g.tracking_seq == GO_ABSENT || layout->g.tracking_seq < end);
	}
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
		TEST(address_in_use_on_a_stack),
		TEST(address_left_over_on_a_stack),
		TEST(other_that_waits_for_the_same),
		TEST(variable_that_is_pointed_to),
		TEST(variable_that_nothing_points_to),
		TEST(map_with_no_end),
		TEST(candidate_that_moves),
		TEST(reader_behind_a_writer),
		TEST(part_that_tells_of_a_run),
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
