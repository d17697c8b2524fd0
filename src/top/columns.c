// SPDX-License-Identifier: Apache-2.0
#include "top/columns.h"

#include <inttypes.h>
#include <string.h>

#include "explain/group.h"
#include "top/frames.h"
#include "top/holder.h"
#include "util/clock.h"

#define COMPARE(left, right) (((left) > (right)) - ((left) < (right)))

static void append_raw(struct text *text, const char *string)
{
	if (string)
		text_append_escaped(text, string, strlen(string));
}

static void append_pid(struct text *text, const struct row *row)
{
	text_append_format(text, "%d", row->process->pid);
}

static int compare_pid(const struct row *left, const struct row *right)
{
	return COMPARE(left->process->pid, right->process->pid);
}

static void append_tid(struct text *text, const struct row *row)
{
	text_append_format(text, "%d", row->thread->tid);
}

static int compare_tid(const struct row *left, const struct row *right)
{
	return COMPARE(left->thread->tid, right->thread->tid);
}

static void append_threads(struct text *text, const struct row *row)
{
	text_append_format(text, "%zu", row->count);
}

static int compare_threads(const struct row *left, const struct row *right)
{
	return COMPARE(right->count, left->count);
}

static void append_owner(struct text *text, const struct row *row)
{
	text_append_format(text, "%u", (unsigned)row->process->uid);
}

static int compare_owner(const struct row *left, const struct row *right)
{
	return COMPARE(left->process->uid, right->process->uid);
}

static void append_comm(struct text *text, const struct row *row)
{
	bool is_process = row->count > 1;

	append_raw(text, is_process ? row->process->comm : row->thread->comm);
}

static void append_state(struct text *text, const struct row *row)
{
	char state = row->thread->state;

	text_append_bytes(text, state > ' ' && state < 0x7f ? &state : "?", 1);
}

static int compare_state(const struct row *left, const struct row *right)
{
	return COMPARE(left->thread->state, right->thread->state);
}

/* Short, so that times stand below each other: "4.2 s", from a minute on "30:34", "2:07:11". */
static void append_time(struct text *text, const struct row *row)
{
	int64_t ns = row->thread->blocked_ns, seconds = ns / NS_PER_SECOND;

	if (row->thread->state == 'R' || ns < 0)
		return;
	if (seconds < 60 || seconds >= 86400)
		text_append_duration(text, ns);
	else if (seconds < 3600)
		text_append_format(text, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
	else
		text_append_format(text, "%d:%02d:%02d", (int)(seconds / 3600),
			(int)(seconds / 60 % 60), (int)(seconds % 60));
}

static int compare_time(const struct row *left, const struct row *right)
{
	return COMPARE(right->thread->blocked_ns, left->thread->blocked_ns);
}

static void append_wait(struct text *text, const struct row *row)
{
	const struct thread *thread = row->thread;

	if (thread_rests_in_role(thread))
		text_append(text, thread->role);
	else if (thread->wait && thread->wait->text)
		text_append(text, thread->wait->text);
}

static void append_holder(struct text *text, const struct row *row)
{
	const struct wait *wait = row->thread->wait;

	if (!wait || !wait->holder_count)
		return;
	holder_append(text, row->look, row->process, &wait->holders[0]);
	if (wait->holder_count > 1)
		text_append_format(text, " +%zu", wait->holder_count - 1);
}

static void append_waiters(struct text *text, const struct row *row)
{
	if (row->thread->holds_up)
		text_append_format(text, "%zu", row->thread->holds_up);
}

static int compare_waiters(const struct row *left, const struct row *right)
{
	return COMPARE(right->thread->holds_up, left->thread->holds_up);
}

static void append_syscall(struct text *text, const struct row *row)
{
	const struct syscall_call *call = row->thread->syscall;

	if (call && call->name)
		text_append(text, call->name);
	else if (call)
		text_append_format(text, "%ld", call->number);
}

static void append_kernel(struct text *text, const struct row *row)
{
	append_raw(text, telling_kernel_function(row->thread));
}

static void append_user(struct text *text, const struct row *row)
{
	const struct frame *frame = telling_user_frame(row->thread);

	if (!frame)
		return;
	if (frame->symbol && *frame->symbol) {
		append_raw(text, frame->symbol);
	} else if (frame->module) {
		text_append(text, "[");
		append_raw(text, base_name(frame->module));
		text_append(text, "]");
	} else {
		text_append_format(text, "0x%" PRIx64, frame->address.value);
	}
	text_append(text, frame->uncertain ? " ?" : "");
}

const struct column column_table[COLUMNS] = {
	[COLUMN_PID] = {"pid", "PID", "the process", 7, 7, true, true, -1, append_pid, compare_pid},
	[COLUMN_TID] = {"tid", "TID", "the thread; of many their number", 7, 7, true, true, -1,
		append_tid, compare_tid},
	[COLUMN_THREADS] = {"threads", "THREADS", "how many threads the row stands for", 7, 7, true,
		false, -1, append_threads, compare_threads},
	[COLUMN_UID] = {"uid", "UID", "the id of the user whose process it is", 5, 5, true, false,
		-1, append_owner, compare_owner},
	[COLUMN_COMM] = {"comm", "COMMAND", "the name of the thread; of many of their process", 11,
		15, false, true, -1, append_comm, NULL},
	[COLUMN_STATE] = {"state", "S",
		"the kernel's letter: R runs, D is uninterruptible, S sleeps", 1, 1, false, true,
		FACET_STATE, append_state, compare_state},
	[COLUMN_TIME] = {"time", "TIME", "for how long it has not run", 8, 10, true, true,
		FACET_TIME, append_time, compare_time},
	[COLUMN_WAIT] = {"wait", "WAITS FOR", "what it waits for, in words", 22, 72, false, true,
		FACET_WAIT, append_wait, NULL},
	[COLUMN_HOLDER] = {"holder", "ON", "on whom it waits", 10, 30, false, true, FACET_HOLDER,
		append_holder, NULL},
	[COLUMN_WAITERS] = {"waiters", "WAITERS", "how many wait for it, directly or behind others",
		7, 7, true, false, -1, append_waiters, compare_waiters},
	[COLUMN_SYSCALL] = {"syscall", "SYSCALL", "the system call that it is in", 11, 16, false,
		true, FACET_SYSCALL, append_syscall, NULL},
	[COLUMN_KERNEL] = {"kernel", "KERNEL", "the kernel's function that it is in", 14, 28, false,
		true, FACET_KERNEL, append_kernel, NULL},
	[COLUMN_USER] = {"user", "USER", "the program's function, or [the file] that it is in", 14,
		60, false, true, FACET_USER, append_user, NULL},
};

const struct column *column_among(const struct column *column, enum row_kind kind)
{
	bool is_tid = column == &column_table[COLUMN_TID];

	return is_tid && kind != ROWS_THREADS ? &column_table[COLUMN_THREADS] : column;
}

void columns_default(struct column_list *list)
{
	list->count = 0;
	for (int i = 0; i < COLUMNS; i++) {
		if (column_table[i].is_default)
			list->items[list->count++] = &column_table[i];
	}
}

static const struct column *find(const char *name, size_t length)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (strlen(column_table[i].name) == length &&
			strncmp(column_table[i].name, name, length) == 0)
			return &column_table[i];
	}
	return NULL;
}

bool columns_parse(const char *names, struct column_list *list, const char **word, size_t *length)
{
	list->count = 0;
	for (;;) {
		*word = names;
		*length = strcspn(names, ",");
		const struct column *column = find(names, *length);

		if (!column || columns_have(list, column))
			return false;
		list->items[list->count++] = column;
		if (!names[*length])
			return true;
		names += *length + 1;
	}
}

static size_t place_of(const struct column_list *list, const struct column *column)
{
	size_t i = 0;

	while (i < list->count && list->items[i] != column)
		i++;
	return i;
}

bool columns_have(const struct column_list *list, const struct column *column)
{
	return place_of(list, column) < list->count;
}

void columns_toggle(struct column_list *list, const struct column *column)
{
	size_t place = place_of(list, column);

	if (place == list->count) {
		list->items[list->count++] = column;
		return;
	}
	if (list->count == 1)
		return;
	list->count--;
	memmove(&list->items[place], &list->items[place + 1],
		(list->count - place) * sizeof(list->items[0]));
}

void columns_move(struct column_list *list, const struct column *column, int step)
{
	size_t place = place_of(list, column), other = place + (size_t)step;

	if (place >= list->count || other >= list->count)
		return;
	list->items[place] = list->items[other];
	list->items[other] = column;
}

#define LITTLE 5

size_t columns_lay_out(const struct column_list *list, enum row_kind kind, size_t first,
	unsigned width, unsigned widths[COLUMNS])
{
	size_t count = 0;
	unsigned taken = 0;

	for (size_t i = first; i < list->count && taken < width; i++) {
		unsigned least = column_among(list->items[i], kind)->least;
		unsigned left = width - taken;

		if (count && left < least / 2 + 1)
			break; /* it would tell nothing */
		widths[count++] = least < left ? least : left;
		taken += widths[count - 1] + 1;
	}
	/* what is left over goes a place at a time to those that have the least of what they want
	 */
	while (taken < width + 1) {
		size_t neediest = count;
		unsigned best = 0;

		for (size_t i = 0; i < count; i++) {
			unsigned most = column_among(list->items[first + i], kind)->most;
			unsigned lack = most > widths[i] ? 1000 * (most - widths[i]) / most : 0;

			if (lack && most - widths[i] <= LITTLE)
				lack += 1000; /* and so is whole */

			if (lack > best) {
				best = lack;
				neediest = i;
			}
		}
		if (neediest == count)
			break;
		widths[neediest]++;
		taken++;
	}
	return count;
}

int column_compare(const struct column *column, const struct row *left, const struct row *right)
{
	if (column->compare)
		return column->compare(left, right);
	if (!left->key || !right->key)
		return COMPARE(!left->key, !right->key); /* what has nothing there stands last */
	return strcmp(left->key, right->key);
}
