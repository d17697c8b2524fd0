// SPDX-License-Identifier: Apache-2.0
/*
 * Who can end the waits of goroutines. The runtime records no owner of a lock, and none of a
 * channel: that only goroutines of the process can end a wait is what is known. See wait_likely.c
 * for what is likely.
 */
#include <string.h>

#include "runtimes/go/wait_parts.h"
#include "util/memory.h"

#define ANY_OTHER "any other goroutine of its process"

/*
 * Whether only a goroutine can send to the channel or receive from it. To one of times a timer
 * may send, without a goroutine: since Go 1.23 the channel knows it, unless GODEBUG has
 * asynctimerchan=1 (src/time/sleep.go, syncTimer(), sendTime()).
 */
static bool is_for_goroutines(struct go_waits *waits, uint32_t number)
{
	const struct go_channel *channel = &waits->channels[number];

	if (channel->timer)
		return false;
	const char *name = go_type_name(waits, channel->element_type, channel->element_size);
	/* A type of another name may be of times too, but no timer sends to such a channel. */
	return name && strcmp(name, "time.Time") != 0;
}

/* Whether nothing but the goroutines of the process can end the wait. */
static bool only_goroutines_end(struct go_waits *waits, const struct go_wait_item *item)
{
	switch (item->kind) {
	case GO_WAIT_RECEIVE:
	case GO_WAIT_SEND:
		return is_for_goroutines(waits, (uint32_t)item->key);
	case GO_WAIT_SELECT:
		for (size_t i = 0; i < item->case_count; i++) {
			if (!is_for_goroutines(waits, item->cases[i].channel))
				return false;
		}
		return !item->more_cases;
	default:
		return item->kind >= GO_WAIT_MUTEX && item->kind <= GO_WAIT_CONDITION;
	}
}

/* The item's holders: those that are likely, then whoever else. */
static void set_holders(struct wait *wait, struct go_likely *likely, struct holder *any, bool only)
{
	wait->holders = likely->count ? likely->holders : any;
	wait->holder_count = likely->count + only;
	wait->holders_complete = only;
	if (likely->count && only)
		likely->holders[likely->count] = *any;
}

void go_holders_add(struct go_waits *waits)
{
	struct go_likely *likely cleanup_free = go_likely_find(waits);
	struct holder *any = arena_new(waits->go->arena, struct holder, 1);

	*any = (struct holder){
		.pid = waits->go->process->pid, .sureness = SURE_MAY, .text = ANY_OTHER};
	for (size_t i = 0; i < waits->item_table.count; i++) {
		const struct go_wait_item *item = &waits->items[i];
		bool only = item->count && only_goroutines_end(waits, item);

		if (only || likely[i].count)
			set_holders(item->wait, &likely[i], any, only);
	}
}
