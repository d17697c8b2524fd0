// SPDX-License-Identifier: Apache-2.0
/* What the files of goroutines' waits share; see wait.h. */
#pragma once

#include "runtimes/go/go.h"
#include "runtimes/go/wait.h"
#include "runtimes/go/wait_pieces.h"
#include "util/text.h"

#define GO_CHANNELS_MAX 4000000 /* what a target may make us keep */
#define GO_CASES_MAX 64         /* of a select that are looked at */
#define GO_LIST_SIZE 32         /* bytes of a notifyList: wait, notify, lock, head, tail */

/* Steps in lists of conditions that a target may make us go: for a start, and by goroutine. */
#define GO_LIST_STEPS (1u << 20)
#define GO_LIST_STEPS_EACH 8

/* What a goroutine waits for, as far as its reason and its stack tell. */
enum go_wait_kind {
	GO_WAIT_UNKNOWN,
	GO_WAIT_WORDS, /* its reason says all: a row of go_reasons */
	GO_WAIT_SLEEP,
	GO_WAIT_RECEIVE,
	GO_WAIT_SEND,
	GO_WAIT_SELECT,
	GO_WAIT_MUTEX, /* semaphores from here on */
	GO_WAIT_READ_LOCK,
	GO_WAIT_WRITE_LOCK,
	GO_WAIT_WRITE_LOCK_TURN, /* behind another that wants to write */
	GO_WAIT_WAIT_GROUP,
	GO_WAIT_ONCE,
	GO_WAIT_SEMAPHORE, /* up to here */
	GO_WAIT_CONDITION,
	GO_WAIT_READ, /* a descriptor from here on */
	GO_WAIT_WRITE,
	GO_WAIT_ACCEPT,
	GO_WAIT_CONNECT,
};

/* The kind of a reason of the runtime's; *row is of GO_WAIT_WORDS. */
enum go_wait_kind go_wait_kind(const char *reason, size_t *row);

/* What the stacks of goroutines that are in the same place tell. */
struct go_stack_facts {
	enum go_wait_kind kind; /* instead of a reason that says less; UNKNOWN: it tells nothing */
	int slot;               /* the word from sp on that points to what it is parked on */
	int list_slot;          /* the same for a condition's list, */
	unsigned list_offset;   /* which stands so far from where that points */
	uint8_t candidates;     /* goroutines with that stack that are kept as candidates */
};

/* The facts about @stack, which is looked at once; the pointer holds until the next call. */
struct go_stack_facts *go_stack_facts(struct go_waits *waits, const struct user_stack *stack);

struct go_channel {
	uint64_t address, count, room, element_type, timer;
	uint64_t first[2], last[2]; /* sudogs that wait to receive [0] and to send [1] */
	uint32_t waiting[2];        /* goroutines that were found to */
	uint16_t element_size;
	bool closed, readable;
	unsigned batch; /* in which it was read last */
};

/* A case of a select: whether it sends, and by its number the channel. */
struct go_case {
	uint32_t channel;
	bool sends;
};

/* A wait of one or many goroutines. */
struct go_wait_item {
	struct wait *wait;
	enum go_wait_kind kind;
	uint64_t key; /* by its kind: a row, a time, a channel's number, an address, a descriptor */
	uint32_t count;
	uint32_t case_count;
	uint32_t candidate; /* the first that waits, by its place among them, plus one; 0: none */
	struct go_case *cases; /* in the arena */
	bool more_cases;
};

struct go_sudog {
	uint64_t address, g, next, prev, elem, waitlink, channel;
	uint32_t ticket;
	bool is_select;
};

/* A goroutine in the list of a condition, by a ticket. */
struct go_listed {
	uint64_t list, g;
	uint32_t ticket;
};

/* A goroutine whose stack is looked at once more, for who may end a wait. */
struct go_candidate {
	uint64_t address, id, mark; /* of its g; the mark is go_settling_mark()'s */
	uint64_t sp, pc, link, high;
	uint32_t wait; /* as go_waits_take() has it */
};

struct go_waits {
	struct go_process *go;
	int64_t now_ns;
	unsigned batch;
	struct go_pieces pieces;

	struct address_table fact_table; /* of stacks */
	struct go_stack_facts *facts;
	size_t fact_capacity;

	struct address_table channel_table;
	struct go_channel *channels;
	size_t channel_capacity;

	struct address_table list_table; /* of lists that were walked, and in which batch */
	struct address_table listed_table;
	struct go_listed *listed; /* by the number of their g */
	size_t listed_capacity, list_steps;

	struct address_table item_table;
	struct go_wait_item *items;
	size_t item_capacity;

	struct address_table type_table;
	const char **type_names;
	size_t type_capacity;

	struct go_candidate *candidates;
	size_t candidate_count, candidate_capacity;
};

/* Pieces of the sudog's layout, decoded; since 1.26 some of its pointers are two words. */
struct go_sudog go_sudog_decode(
	const struct go_layout *layout, uint64_t address, const uint8_t *bytes);

/* The channel's number in *number; false: there are too many. */
bool go_channel_add(struct go_waits *waits, uint64_t address, uint32_t *number);

/* Reads those channels of @numbers that were not read in this batch. */
void go_channels_read(struct go_waits *waits, const uint32_t *numbers, size_t count);

/*
 * Whether the sudog is in the channel's queue of those that receive (*sends false) or send: the
 * queue's ends must agree with it, and where both queues have somebody it must be met in one.
 */
bool go_channel_has(const struct go_waits *waits, const struct go_channel *channel,
	const struct go_sudog *sudog, bool *sends);

/*
 * Whether goroutine @g is in the notifyList at @address: for certain. @bytes are the list's,
 * GO_LIST_SIZE, read since the goroutine was.
 */
bool go_list_has(struct go_waits *waits, uint64_t address, const uint8_t *bytes, uint64_t g);

/* The name of a type, "*http.Request", escaped; NULL: not known. @size: what its values take. */
const char *go_type_name(struct go_waits *waits, uint64_t type, uint64_t size);

/* What was found of one goroutine of a batch. */
struct go_found {
	enum go_wait_kind kind;
	size_t row;
	bool parked;           /* its pollDesc was found */
	struct go_sudog sudog; /* the one, of all but channels; address 0: none */
	uint64_t list;         /* a condition's notifyList */
	uint64_t value;        /* a descriptor's number, or when a sleep ends */
};

/*
 * Finds by the words of the stacks what the goroutines of a batch are parked on that g.waiting does
 * not tell: semaphores and conditions before Go 1.26, and descriptors.
 */
void go_slots_find(struct go_waits *waits, const struct go_waiter *waiters, size_t count,
	struct go_found *found);

/* Where the struct begins that the item, one of a lock's, waits for. */
uint64_t go_wait_base(const struct go_waits *waits, const struct go_wait_item *item);

/*
 * Holders of each item, by its number, in the arena: the goroutines that have what it waits for on
 * their stack, in use. All are a guess, and all others may be able to end the wait too.
 */
struct go_likely {
	struct holder *holders;
	size_t count;
};

/* In heap memory, the holders in the arena with room for one more. */
struct go_likely *go_likely_find(struct go_waits *waits);

/* Who can end the items' waits, once the sentences are written. */
void go_holders_add(struct go_waits *waits);

/* Names of variables that cover these addresses, in the arena, raw; NULL: none does. Rising. */
void go_variables_find(
	const struct go_process *go, const uint64_t *addresses, size_t count, const char **names);

/* A reason of the runtime's that says all; the row is of go_wait_kind(). */
struct go_reason {
	const char *reason, *kind, *sentence;
	bool idle;
	bool endless; /* nobody can end it */
};
const struct go_reason *go_reason_at(size_t row);
