// SPDX-License-Identifier: Apache-2.0
/* The sentences of goroutines' waits. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtimes/go/wait_parts.h"
#include "util/clock.h"
#include "util/memory.h"
#include "waits/waits.h"

#define WORD sizeof(uint64_t)
#define CASES_SAID 8
#define STATE_SIZE 24 /* bytes of a lock, the largest, sync.RWMutex */
#define YEARS_100_NS (100 * 365 * 86400LL * NS_PER_SECOND)
#define READERS_MAX (1 << 30)    /* src/sync/rwmutex.go, rwmutexMaxReaders */
#define MUTEX_LOCKED 1           /* src/sync/mutex.go, mutexLocked */
#define MUTEX_STARVING 4         /* mutexStarving */
#define MUTEX_WAITERS_SHIFT 3    /* mutexWaiterShift */
#define GROUP_WAITERS 0x7fffffff /* src/sync/waitgroup.go: bit 31 is another flag */
#define GROUP_ALIGNED_MINOR 18   /* since Go 1.18 its counters are aligned */
#define UNRECORDED "who holds it is not recorded"

/* What the sentences of a look have in common. */
struct sentences {
	struct go_waits *waits;
	struct waits *descriptors;
	int64_t now_ns;               /* CLOCK_REALTIME */
	const int64_t *timers;        /* by number of the channel: when its timer fires; 0: never */
	const uint8_t *const *states; /* by number of the item; NULL: not had */
	const char *const *names;     /* likewise: its variable's */
	struct text text;
};

static void append_address(struct text *text, uint64_t address)
{
	text_append(text, "0x");
	text_append_number(text, address, 16);
}

/* ", as do 3 other goroutines" */
static void append_others(struct text *text, uint32_t count)
{
	if (count < 2)
		return;
	text_append(text, ", as do");
	text_append(text, count == 2 ? "es " : " ");
	text_append_number(text, count - 1, 10);
	text_append(text, count == 2 ? " other goroutine" : " other goroutines");
}

/* "channel 0xc000012060 (chan int, 3 of 10 buffered)" */
static void append_channel(struct sentences *sentences, const struct go_channel *channel)
{
	struct text *text = &sentences->text;
	const char *name =
		go_type_name(sentences->waits, channel->element_type, channel->element_size);

	text_append(text, "channel ");
	append_address(text, channel->address);
	if (name) {
		text_append(text, " (chan ");
		text_append(text, name);
	} else {
		text_append(text, " (of ");
		text_append_number(text, channel->element_size, 10);
		text_append(text, " bytes each");
	}
	if (channel->room) {
		text_append(text, ", ");
		text_append_number(text, channel->count, 10);
		text_append(text, " of ");
		text_append_number(text, channel->room, 10);
		text_append(text, " buffered");
	} else {
		text_append(text, ", unbuffered");
	}
	text_append(text, channel->closed ? ", closed)" : ")");
}

/* "timer 0xc000012060 (chan time.Time) to fire in 2.3 s" */
static void append_timer(
	struct sentences *sentences, const struct go_channel *channel, int64_t when)
{
	struct text *text = &sentences->text;
	int64_t left = when - sentences->waits->now_ns;

	text_append(text, "the timer of channel ");
	append_address(text, channel->address);
	text_append(text, " (chan time.Time)");
	if (!when) {
		text_append(text, ", which is stopped");
		return;
	}
	text_append(text, " to fire");
	if (left >= YEARS_100_NS)
		return;
	if (left <= 0) {
		text_append(text, " now");
		return;
	}
	text_append(text, " in ");
	text_append_duration(text, left);
}

/* What is waited for at one side of the channel: "a value from channel …". */
static void append_side(struct sentences *sentences, uint32_t number, bool sends)
{
	struct text *text = &sentences->text;
	const struct go_channel *channel = &sentences->waits->channels[number];

	if (channel->timer && !sends) {
		append_timer(sentences, channel, sentences->timers[number]);
		return;
	}
	text_append(text, !sends ? "a value from " : channel->room ? "room in " : "a receiver on ");
	append_channel(sentences, channel);
}

static const char *say_channel(struct sentences *sentences, const struct go_wait_item *item)
{
	bool sends = item->kind == GO_WAIT_SEND;
	const struct go_channel *channel = &sentences->waits->channels[item->key];
	struct text *text = &sentences->text;

	text_append(text, "waits for ");
	append_side(sentences, (uint32_t)item->key, sends);
	append_others(text, channel->waiting[sends]);
	if (channel->waiting[!sends]) {
		text_append(text, ", and the other way ");
		text_append_number(text, channel->waiting[!sends], 10);
	}
	item->wait->idle = !sends;
	return sends ? "channel-send" : channel->timer ? "timer" : "channel-receive";
}

static const char *say_select(struct sentences *sentences, const struct go_wait_item *item)
{
	struct text *text = &sentences->text;

	text_append(text, "waits for ");
	if (item->case_count > 1) {
		text_append(text, item->more_cases ? "the first of more than " : "the first of ");
		text_append_number(text, item->case_count, 10);
		text_append(text, ": ");
	}
	for (size_t i = 0; i < item->case_count && i < CASES_SAID; i++) {
		text_append(text, i ? "; " : "");
		append_side(sentences, item->cases[i].channel, item->cases[i].sends);
	}
	if (item->case_count > CASES_SAID)
		text_append(text, "; …");
	if (item->case_count == 1)
		text_append(text, " (select)");
	append_others(text, item->count);
	item->wait->idle = true;
	return "channel-select";
}

static const char *say_sleep(struct sentences *sentences, const struct go_wait_item *item)
{
	int64_t left = (int64_t)item->key - sentences->waits->now_ns;

	wait_append_sleep(&sentences->text, sentences->now_ns, left, false);
	item->wait->idle = true;
	return "sleep";
}

static const char *say_descriptor(struct sentences *sentences, const struct go_wait_item *item)
{
	static const char *const calls[] = {
		[GO_WAIT_READ] = "read",
		[GO_WAIT_WRITE] = "write",
		[GO_WAIT_ACCEPT] = "accept4",
		[GO_WAIT_CONNECT] = "connect",
	};
	const struct wait *wait = wait_explain_descriptor(
		sentences->descriptors, syscall_row_find(calls[item->kind]), (int)item->key);

	*item->wait = *wait;
	text_append(&sentences->text, wait->sentence);
	return wait->kind;
}

uint64_t go_wait_base(const struct go_waits *waits, const struct go_wait_item *item)
{
	uint64_t address = item->key;

	switch (item->kind) {
	case GO_WAIT_MUTEX:           /* behind state */
	case GO_WAIT_WRITE_LOCK_TURN: /* of the mutex that the lock begins with */
		return address - 4;
	case GO_WAIT_WRITE_LOCK: /* writerSem, behind w */
		return address - 8;
	case GO_WAIT_READ_LOCK: /* readerSem */
		return address - 12;
	case GO_WAIT_ONCE: /* m, behind done */
		return address - 8;
	case GO_WAIT_WAIT_GROUP: /* before Go 1.18 its three words are where two are aligned */
		return waits->go->layout->minor < GROUP_ALIGNED_MINOR && address % WORD
			       ? address
			       : address - 8;
	case GO_WAIT_CONDITION: /* notify, behind L */
		return address - 16;
	default:
		return address;
	}
}

/* "0xc000012060", or "main.mu (0x55e0a0" and what follows is to stand in the parenthesis. */
static void append_object(struct sentences *sentences, const struct go_wait_item *item)
{
	size_t number = (size_t)(item - sentences->waits->items);
	uint64_t base = go_wait_base(sentences->waits, item);
	const char *name = sentences->names[number];

	if (name) {
		text_append_escaped(&sentences->text, name, strlen(name));
		text_append(&sentences->text, " (");
		append_address(&sentences->text, base);
		return;
	}
	append_address(&sentences->text, base);
}

/* Goes on in the parenthesis, or begins it. */
static void append_comma(struct sentences *sentences, const struct go_wait_item *item)
{
	size_t number = (size_t)(item - sentences->waits->items);

	text_append(&sentences->text, sentences->names[number] ? ", " : " (");
}

static void append_counted(struct text *text, uint64_t count, const char *one, const char *many)
{
	text_append_number(text, count, 10);
	text_append(text, " ");
	text_append(text, count == 1 ? one : many);
}

static void append_mutex_state(struct text *text, uint32_t state)
{
	text_append(text, state & MUTEX_LOCKED ? "locked" : "just unlocked");
	if (state & MUTEX_STARVING)
		text_append(text, ", starving");
	text_append(text, ", ");
	append_counted(text, state >> MUTEX_WAITERS_SHIFT, "waiter", "waiters");
	if (state & MUTEX_LOCKED)
		text_append(text, "; " UNRECORDED);
}

static void append_lock_state(struct text *text, enum go_wait_kind kind, const uint8_t *state)
{
	int32_t count = (int32_t)go_u32(state, 16), departing = (int32_t)go_u32(state, 20);
	int64_t readers = count < 0 ? (int64_t)count + READERS_MAX : count;

	if (kind == GO_WAIT_WRITE_LOCK_TURN)
		text_append(text, "another goroutine has it to write, or is the next to");
	else if (departing > 0 && kind == GO_WAIT_READ_LOCK)
		append_counted(text, (uint64_t)departing,
			"reader has it, and a goroutine that is before this one waits to write",
			"readers have it, and a goroutine that is before this one waits to write");
	else if (departing > 0)
		append_counted(text, (uint64_t)departing, "reader has it", "readers have it");
	else if (kind == GO_WAIT_READ_LOCK && count < 0)
		text_append(text, "it is locked to write");
	else
		append_counted(text, readers > 0 ? (uint64_t)readers : 0, "reader", "readers");
	text_append(text, "; " UNRECORDED);
}

static void append_state(
	struct sentences *sentences, const struct go_wait_item *item, const uint8_t *state)
{
	struct text *text = &sentences->text;
	unsigned minor = sentences->waits->go->layout->minor;

	switch (item->kind) {
	case GO_WAIT_MUTEX:
		append_mutex_state(text, go_u32(state, 0));
		return;
	case GO_WAIT_READ_LOCK:
	case GO_WAIT_WRITE_LOCK:
	case GO_WAIT_WRITE_LOCK_TURN:
		append_lock_state(text, item->kind, state);
		return;
	default: /* a wait group; see go_wait_base() */
		text_append_number(text,
			go_u64(state, minor < GROUP_ALIGNED_MINOR && item->key % WORD ? 4 : 0) >>
				32,
			10);
		text_append(text, " still to be done");
	}
}

static const struct {
	const char *kind, *words;
	bool has_state;
} locks[] = {
	[GO_WAIT_MUTEX] = {"mutex", "mutex ", true},
	[GO_WAIT_READ_LOCK] = {"rwlock", "a read-write lock, to read: ", true},
	[GO_WAIT_WRITE_LOCK] = {"rwlock", "a read-write lock, to write: ", true},
	[GO_WAIT_WRITE_LOCK_TURN] = {"rwlock", "a read-write lock, to write: ", true},
	[GO_WAIT_WAIT_GROUP] = {"wait-group", "wait group ", true},
	[GO_WAIT_ONCE] = {"once", "another goroutine to finish what is done once: ", false},
	[GO_WAIT_SEMAPHORE] = {"semaphore", "semaphore ", false},
	[GO_WAIT_CONDITION] = {"condition", "condition variable ", false},
};

static const char *say_lock(struct sentences *sentences, const struct go_wait_item *item)
{
	size_t number = (size_t)(item - sentences->waits->items);
	const uint8_t *state = locks[item->kind].has_state ? sentences->states[number] : NULL;
	struct text *text = &sentences->text;

	text_append(text, "waits for ");
	text_append(text, locks[item->kind].words);
	append_object(sentences, item);
	if (state) {
		append_comma(sentences, item);
		append_state(sentences, item, state);
	}
	if (state || sentences->names[number])
		text_append(text, ")");
	append_others(text, item->count);
	item->wait->idle = item->kind == GO_WAIT_CONDITION;
	return locks[item->kind].kind;
}

static const char *say(struct sentences *sentences, const struct go_wait_item *item)
{
	const struct go_reason *reason;

	switch (item->kind) {
	case GO_WAIT_UNKNOWN:
	case GO_WAIT_WORDS:
		reason = go_reason_at(item->key);
		text_append(&sentences->text, reason->sentence);
		item->wait->idle = reason->idle;
		item->wait->endless = reason->endless;
		return reason->kind;
	case GO_WAIT_SLEEP:
		return say_sleep(sentences, item);
	case GO_WAIT_RECEIVE:
	case GO_WAIT_SEND:
		return say_channel(sentences, item);
	case GO_WAIT_SELECT:
		return say_select(sentences, item);
	case GO_WAIT_READ:
	case GO_WAIT_WRITE:
	case GO_WAIT_ACCEPT:
	case GO_WAIT_CONNECT:
		return say_descriptor(sentences, item);
	default:
		return say_lock(sentences, item);
	}
}

static bool is_lock(const struct go_wait_item *item)
{
	return item->count && item->kind >= GO_WAIT_MUTEX && item->kind <= GO_WAIT_CONDITION;
}

/* When the timers of channels fire, by number of the channel. */
static int64_t *read_timers(struct go_waits *waits)
{
	size_t count = waits->channel_table.count, piece = 0;
	int64_t *timers = allocate_zeroed(count + 1, sizeof(*timers));

	for (size_t i = 0; i < count; i++) {
		if (waits->channels[i].timer)
			go_pieces_add(&waits->pieces,
				waits->channels[i].timer + waits->go->layout->timer.when, WORD);
	}
	go_pieces_read(&waits->pieces);
	for (size_t i = 0; i < count; i++) {
		if (!waits->channels[i].timer)
			continue;
		const uint8_t *bytes = go_pieces_get(&waits->pieces, piece++);
		int64_t when = bytes ? (int64_t)go_u64(bytes, 0) : 0;
		timers[i] = when > 0 ? when : 0;
	}
	go_pieces_clear(&waits->pieces);
	return timers;
}

/* What the locks look like now, by number of the item; valid until the pieces are cleared. */
static const uint8_t **read_states(struct go_waits *waits)
{
	size_t count = waits->item_table.count, piece = 0;
	const uint8_t **states = allocate_zeroed(count + 1, sizeof(*states));

	for (size_t i = 0; i < count; i++) {
		if (is_lock(&waits->items[i]))
			go_pieces_add(
				&waits->pieces, go_wait_base(waits, &waits->items[i]), STATE_SIZE);
	}
	go_pieces_read(&waits->pieces);
	for (size_t i = 0; i < count; i++) {
		if (is_lock(&waits->items[i]))
			states[i] = go_pieces_get(&waits->pieces, piece++);
	}
	return states;
}

struct object {
	uint64_t address;
	size_t item;
};

static int by_address(const void *left, const void *right)
{
	const struct object *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

/* The variables that the locks are in, by number of the item. */
static const char **find_names(struct go_waits *waits)
{
	size_t item_count = waits->item_table.count, count = 0;
	const char **names = allocate_zeroed(item_count + 1, sizeof(*names));
	struct object *objects cleanup_free = allocate_zeroed(item_count + 1, sizeof(*objects));

	for (size_t i = 0; i < item_count; i++) {
		const struct go_wait_item *item = &waits->items[i];

		if (is_lock(item))
			objects[count++] = (struct object){go_wait_base(waits, item), i};
	}
	if (!count)
		return names;
	qsort(objects, count, sizeof(*objects), by_address);
	uint64_t *addresses cleanup_free = allocate(count * sizeof(*addresses));
	const char **found cleanup_free = allocate_zeroed(count, sizeof(*found));
	for (size_t i = 0; i < count; i++)
		addresses[i] = objects[i].address;
	go_variables_find(waits->go, addresses, count, found);
	for (size_t i = 0; i < count; i++)
		names[objects[i].item] = found[i];
	return names;
}

void go_waits_finish(struct go_waits *waits)
{
	struct waits descriptors = {
		.process = waits->go->process, .arena = waits->go->arena, .clock = clock_ns};
	int64_t *timers cleanup_free = read_timers(waits);
	const char **names cleanup_free = find_names(waits);
	const uint8_t **states cleanup_free = read_states(waits);
	struct sentences sentences = {
		.waits = waits,
		.descriptors = &descriptors,
		.now_ns = clock_ns(CLOCK_REALTIME),
		.timers = timers,
		.states = states,
		.names = names,
	};

	for (size_t i = 0; i < waits->item_table.count; i++) {
		struct go_wait_item *item = &waits->items[i];

		if (!item->count)
			continue;
		text_clear(&sentences.text);
		item->wait->kind = say(&sentences, item);
		item->wait->sentence = text_to_arena(&sentences.text, waits->go->arena);
		item->wait->text = wait_text(item->wait->sentence);
	}
	text_deinit(&sentences.text);
	go_pieces_clear(&waits->pieces);
	go_holders_add(waits);
}
