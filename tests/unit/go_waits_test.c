// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "go_waits_fixture.h"
#include "runtimes/go/wait_parts.h"
#include "util/clock.h"

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

static void assert_waits(
	struct fixture *fixture, unsigned number, const char *kind, bool idle, const char *text)
{
	const struct wait *wait = wait_of(fixture, number);

	assert_non_null(wait);
	assert_string_equal(wait->text, text);
	assert_string_equal(wait->kind, kind);
	assert_int_equal(wait->idle, idle);
}

static void channel_that_two_receive_from(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put_type(fixture, 0, "*http.Request", 8);
	put64(fixture, channel_at(0) + fixture->layout->hchan.dataqsiz, 10);
	assert_waits(fixture, 0, "channel-receive", true,
		"a value from channel 0x105800 (chan *http.Request, 0 of 10 buffered), "
		"as does 1 other goroutine");
	/* One wait serves both. */
	assert_ptr_equal(wait_of(fixture, 0), wait_of(fixture, 1));
}

static void name_of_a_type_with_one_star_too_many(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put_type(fixture, 0, "*main.T\x1b", 8);
	fixture->bytes[AT_TYPES + 0x40 + fixture->layout->type.tflag] = 2;
	assert_waits(fixture, 0, "channel-receive", true,
		"a value from channel 0x105800 (chan main.T\\x1b, unbuffered), "
		"as does 1 other goroutine");
}

static void type_that_is_none(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put_type(fixture, 0, "int", 8);
	/* The channel's elements are not of that size. */
	fixture->bytes[channel_at(0) + fixture->layout->hchan.elemsize] = 4;
	assert_waits(fixture, 0, "channel-receive", true,
		"a value from channel 0x105800 (of 4 bytes each, unbuffered), "
		"as does 1 other goroutine");
}

static void send_to_a_channel(void **state)
{
	struct fixture *fixture = *state;
	const struct go_layout *layout = fixture->layout;

	put_reason(fixture, 0, "chan send");
	put64(fixture, AT_G + layout->g.waiting, at(sudog_at(0)));
	put_sudog(fixture, 0, 0);
	put_queue(fixture, 0, layout->hchan.sendq, 0, 1);
	put_type(fixture, 0, "int", 8);
	assert_waits(fixture, 0, "channel-send", false,
		"a receiver on channel 0x105800 (chan int, unbuffered)");
}

/* What does not fit together is not told. */
static void sudog_of_another_goroutine(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put_sudog(fixture, 0, 1);
	assert_null(wait_of(fixture, 0));
	assert_non_null(wait_of(fixture, 1));
}

static void queue_that_ends_elsewhere(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put64(fixture, channel_at(0) + fixture->layout->hchan.recvq, at(sudog_at(7)));
	assert_null(wait_of(fixture, 0));
	assert_non_null(wait_of(fixture, 1));
}

static void queue_of_the_other_direction(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put_reason(fixture, 0, "chan send");
	assert_null(wait_of(fixture, 0));
}

static void channel_with_more_than_its_room(void **state)
{
	struct fixture *fixture = *state;

	put_receivers(fixture);
	put64(fixture, channel_at(0) + fixture->layout->hchan.qcount, 5);
	assert_null(wait_of(fixture, 0));
}

static void put_select(struct fixture *fixture)
{
	const struct go_layout *layout = fixture->layout;

	put_reason(fixture, 0, "select");
	put64(fixture, AT_G + layout->g.waiting, at(sudog_at(0)));
	put64(fixture, sudog_at(0) + layout->sudog.waitlink, at(sudog_at(1)));
	for (unsigned i = 0; i < 2; i++) {
		put_sudog(fixture, i, 0);
		fixture->bytes[sudog_at(i) + layout->sudog.is_select] = 1;
	}
	put_queue(fixture, 0, layout->hchan.recvq, 0, 1);
	put_queue(fixture, 1, layout->hchan.sendq, 1, 1);
	put_type(fixture, 0, "int", 8);
	put_type(fixture, 1, "int", 8);
}

static void select_of_two(void **state)
{
	struct fixture *fixture = *state;

	put_select(fixture);
	assert_waits(fixture, 0, "channel-select", true,
		"the first of 2: a value from channel 0x105800 (chan int, unbuffered); "
		"a receiver on channel 0x105880 (chan int, unbuffered)");
}

static void select_in_a_circle(void **state)
{
	struct fixture *fixture = *state;

	put_select(fixture);
	put64(fixture, sudog_at(1) + fixture->layout->sudog.waitlink, at(sudog_at(0)));
	const struct wait *wait = wait_of(fixture, 0);
	assert_non_null(wait);
	assert_memory_equal(wait->text, "the first of more than 64: ", 27);
}

static void select_of_nothing(void **state)
{
	struct fixture *fixture = *state;

	put_reason(fixture, 0, "select");
	put_reason(fixture, 1, "select (no cases)");
	assert_waits(fixture, 0, "channel-select", false,
		"waits without end: its select has no channel that is not nil");
	assert_waits(
		fixture, 1, "channel-select", true, "waits without end: its select has no cases");
}

static void mutex_by_a_word_of_the_stack(void **state)
{
	struct fixture *fixture = *state;
	const struct go_layout *layout = fixture->layout;

	for (unsigned i = 0; i < 2; i++) {
		put_reason(fixture, i, "sync.Mutex.Lock");
		put_sudog(fixture, i, i);
		put64(fixture, sudog_at(i) + layout->sudog.elem, at(AT_LOCK + 4));
		put_word(fixture, i, 8, sudog_at(i));
		put_word(fixture, i, 12, AT_LOCK + 4);
	}
	put_word(fixture, 0, 6, sudog_at(1)); /* another's, which does not count */
	put32(fixture, AT_LOCK, 2 << 3 | 4 | 1);
	assert_waits(fixture, 0, "mutex", false,
		"mutex 0x105c00 (locked, starving, 2 waiters; who holds it is not recorded), "
		"as does 1 other goroutine");
}

static void locks_to_read_and_to_write(void **state)
{
	struct fixture *fixture = *state;
	const struct go_layout *layout = fixture->layout;

	put_reason(fixture, 0, "sync.RWMutex.RLock");
	put_reason(fixture, 1, "sync.RWMutex.Lock");
	for (unsigned i = 0; i < 2; i++) {
		put_sudog(fixture, i, i);
		put64(fixture, sudog_at(i) + layout->sudog.elem, at(AT_LOCK + (i ? 8 : 12)));
		put_word(fixture, i, 8, sudog_at(i));
		put_word(fixture, i, 4, AT_LOCK + (i ? 8 : 12));
	}
	put32(fixture, AT_LOCK + 16, (uint32_t)(3 - (1 << 30)));
	put32(fixture, AT_LOCK + 20, 2);
	assert_waits(fixture, 0, "rwlock", false,
		"a read-write lock, to read: 0x105c00 (2 readers have it, and a goroutine that is "
		"before this one waits to write; who holds it is not recorded)");
	assert_waits(fixture, 1, "rwlock", false,
		"a read-write lock, to write: 0x105c00 (2 readers have it; "
		"who holds it is not recorded)");
}

static void semaphore_that_was_given_back(void **state)
{
	struct fixture *fixture = *state;

	put_reason(fixture, 0, "semacquire");
	put_sudog(fixture, 0, 0);
	put_word(fixture, 0, 8, sudog_at(0));
	assert_null(wait_of(fixture, 0));
}

/* A sudog of the goroutine's whose lock its stack does not know. */
static void semaphore_of_another_time(void **state)
{
	struct fixture *fixture = *state;

	put_reason(fixture, 0, "sync.Mutex.Lock");
	put_sudog(fixture, 0, 0);
	put64(fixture, sudog_at(0) + fixture->layout->sudog.elem, at(AT_LOCK + 4));
	put_word(fixture, 0, 8, sudog_at(0));
	put_word(fixture, 0, 9, AT_LOCK + 8);
	assert_null(wait_of(fixture, 0));
}

/* Both goroutines wait for the condition at AT_LOCK, with the tickets 5 and 6. */
static void put_condition(struct fixture *fixture)
{
	const struct go_layout *layout = fixture->layout;
	const uint64_t list = AT_LOCK + 16;

	for (unsigned i = 0; i < 2; i++) {
		put_reason(fixture, i, "sync.Cond.Wait");
		put_sudog(fixture, i, i);
		put32(fixture, sudog_at(i) + layout->sudog.ticket, 5 + i);
		put_word(fixture, i, 10, AT_LOCK);
	}
	put64(fixture, sudog_at(0) + layout->sudog.next, at(sudog_at(1)));
	put32(fixture, list, 7);
	put32(fixture, list + 4, 5);
	put64(fixture, list + 16, at(sudog_at(0)));
	put64(fixture, list + 24, at(sudog_at(1)));
}

static void condition_that_two_wait_for(void **state)
{
	struct fixture *fixture = *state;

	put_condition(fixture);
	assert_waits(fixture, 0, "condition", true,
		"condition variable 0x105c00, as does 1 other goroutine");
	assert_ptr_equal(wait_of(fixture, 0), wait_of(fixture, 1));
}

/* What looks like the list of a condition, before its pointer on the stack. */
static void list_that_leads_elsewhere(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t other = AT_TIMER;

	put_condition(fixture);
	for (unsigned i = 0; i < 2; i++)
		put_word(fixture, i, 8, other);
	put32(fixture, other, 7);
	put32(fixture, other + 4, 5);
	put64(fixture, other + 16, at(sudog_at(2)));
	put64(fixture, other + 24, at(sudog_at(3)));
	assert_waits(fixture, 0, "condition", true,
		"condition variable 0x105c00, as does 1 other goroutine");
}

static void list_without_the_goroutine(void **state)
{
	struct fixture *fixture = *state;

	put_condition(fixture);
	put64(fixture, AT_LOCK + 16 + 16, at(sudog_at(1)));
	assert_null(wait_of(fixture, 0));
	assert_waits(fixture, 1, "condition", true, "condition variable 0x105c00");
}

static void list_that_ends_before_its_tail(void **state)
{
	struct fixture *fixture = *state;

	put_condition(fixture);
	put64(fixture, sudog_at(0) + fixture->layout->sudog.next, 0);
	assert_null(wait_of(fixture, 0));
	assert_null(wait_of(fixture, 1));
}

static void ticket_that_was_called(void **state)
{
	struct fixture *fixture = *state;

	put_condition(fixture);
	put32(fixture, AT_LOCK + 16 + 4, 6);
	assert_null(wait_of(fixture, 0));
}

static void list_in_a_circle(void **state)
{
	struct fixture *fixture = *state;

	put_condition(fixture);
	put64(fixture, sudog_at(1) + fixture->layout->sudog.next, at(sudog_at(0)));
	assert_null(wait_of(fixture, 0));
	assert_null(wait_of(fixture, 1));
}

static void descriptor_by_a_word_of_the_stack(void **state)
{
	struct fixture *fixture = *state;
	const struct go_layout *layout = fixture->layout;

	put_reason(fixture, 0, "IO wait");
	put_reason(fixture, 1, "IO wait");
	put_word(fixture, 0, 8, AT_POLL);
	put_word(fixture, 0, 9, AT_POLL + layout->poll_desc.wg);
	put_word(fixture, 1, 8, AT_POLL);
	put_word(fixture, 1, 9, AT_POLL + layout->poll_desc.wg);
	put64(fixture, AT_POLL + layout->poll_desc.fd, 5);
	put64(fixture, AT_POLL + layout->poll_desc.wg, at(AT_G));
	assert_waits(fixture, 0, "file-write", false, "the write of descriptor 5");
	/* Neither half of it has the other one. */
	assert_null(wait_of(fixture, 1));
}

/* What has the goroutine where a pollDesc would have it, but is none. */
static void descriptor_without_its_other_word(void **state)
{
	struct fixture *fixture = *state;
	const struct go_layout *layout = fixture->layout;

	put_reason(fixture, 0, "IO wait");
	put_word(fixture, 0, 8, AT_POLL);
	put_word(fixture, 0, 9, AT_POLL + layout->poll_desc.wg);
	put64(fixture, AT_POLL + layout->poll_desc.rg, at(AT_G));
	assert_null(wait_of(fixture, 0));
}

static void sleep_by_its_timer(void **state)
{
	struct fixture *fixture = *state;
	const struct go_layout *layout = fixture->layout;
	int64_t end = clock_ns(CLOCK_MONOTONIC) + 7200 * NS_PER_SECOND + 600 * NS_PER_SECOND;

	put_reason(fixture, 0, "sleep");
	put_reason(fixture, 1, "sleep");
	put64(fixture, AT_G + layout->g.timer, at(AT_TIMER));
	put64(fixture, AT_TIMER + layout->timer.nextwhen, (uint64_t)end);
	const struct wait *wait = wait_of(fixture, 0);
	assert_non_null(wait);
	assert_string_equal(wait->kind, "sleep");
	assert_non_null(strstr(wait->text, ", 2 h 9 min left"));
	assert_null(wait_of(fixture, 1));
}

static void reasons_of_the_runtime(void **state)
{
	struct fixture *fixture = *state;

	put_reason(fixture, 0, "chan receive (nil chan)");
	put_reason(fixture, 1, "finalizer wait");
	assert_waits(fixture, 0, "channel-receive", false, "a value from a nil channel: for ever");
	assert_waits(fixture, 1, "runtime", true, "finalizers to run");
}

/* Every word that a version has for a wait means something to us. */
static void all_reasons_are_known(void **state)
{
	(void)state;
	for (unsigned minor = GO_FIRST_MINOR; minor <= GO_LAST_MINOR; minor++) {
		bool uncertain;
		const struct go_layout *layout = go_layout_find(minor, &uncertain);
		size_t row;

		for (uint8_t i = 1; i < layout->wait_reason_count; i++) {
			if (go_wait_kind(layout->wait_reasons[i], &row) == GO_WAIT_UNKNOWN)
				fail_msg("1.%u: %s", minor, layout->wait_reasons[i]);
		}
	}
}

static void pieces_next_to_and_over_each_other(void **state)
{
	struct fixture *fixture = *state;
	struct go_pieces pieces = {.memory = &fixture->memory};
	static const uint64_t addresses[] = {0, UINT64_MAX, FIXTURE_BASE + 0x7ffc,
		FIXTURE_BASE + 0x108, FIXTURE_BASE + 0x100, FIXTURE_BASE + 0x3000,
		FIXTURE_BASE + 0x100, FIXTURE_BASE - 0x1000, UINT64_MAX >> 1};
	enum { COUNT = sizeof(addresses) / sizeof(addresses[0]) };

	for (unsigned i = 0; i < FIXTURE_SIZE; i++)
		fixture->bytes[i] = (uint8_t)(i * 7 + (i >> 8));
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT; i++)
			assert_int_equal(go_pieces_add(&pieces, addresses[i], 16), i);
		go_pieces_read(&pieces);
		for (size_t i = 0; i < COUNT; i++) {
			const uint8_t *bytes = go_pieces_get(&pieces, i);
			uint64_t offset = addresses[i] - FIXTURE_BASE;

			if (offset + 16 > FIXTURE_SIZE || offset >= FIXTURE_SIZE) {
				assert_null(bytes);
				continue;
			}
			assert_non_null(bytes);
			assert_memory_equal(bytes, fixture->bytes + offset, 16);
		}
		assert_null(go_pieces_get(&pieces, COUNT));
		go_pieces_clear(&pieces);
	}
	go_pieces_deinit(&pieces);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(channel_that_two_receive_from),
		TEST(name_of_a_type_with_one_star_too_many),
		TEST(type_that_is_none),
		TEST(send_to_a_channel),
		TEST(sudog_of_another_goroutine),
		TEST(queue_that_ends_elsewhere),
		TEST(queue_of_the_other_direction),
		TEST(channel_with_more_than_its_room),
		TEST(select_of_two),
		TEST(select_in_a_circle),
		TEST(select_of_nothing),
		TEST(mutex_by_a_word_of_the_stack),
		TEST(locks_to_read_and_to_write),
		TEST(semaphore_that_was_given_back),
		TEST(semaphore_of_another_time),
		TEST(condition_that_two_wait_for),
		TEST(list_that_leads_elsewhere),
		TEST(list_without_the_goroutine),
		TEST(list_that_ends_before_its_tail),
		TEST(ticket_that_was_called),
		TEST(list_in_a_circle),
		TEST(descriptor_by_a_word_of_the_stack),
		TEST(descriptor_without_its_other_word),
		TEST(sleep_by_its_timer),
		TEST(reasons_of_the_runtime),
		TEST(all_reasons_are_known),
		TEST(pieces_next_to_and_over_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
