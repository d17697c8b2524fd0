// SPDX-License-Identifier: Apache-2.0
/* Channels, who is in their queues, and the types of what goes through them. */
#include <string.h>

#include "runtimes/go/wait_parts.h"
#include "util/memory.h"

#define WORD sizeof(uint64_t)
#define QUEUE_MAX 128    /* of the only queues that are walked: of goroutines of one select */
#define TYPE_NAME_MAX 96 /* bytes of a type's name that are read */
#define TYPE_BYTES 64    /* of a type; 48 in all versions that are known */
#define EXTRA_STAR 2     /* internal/abi/type.go, TFlagExtraStar: the name has one too many */
#define VARINT_MINOR 17  /* since Go 1.17 a name's length is a varint */

struct go_sudog go_sudog_decode(
	const struct go_layout *layout, uint64_t address, const uint8_t *bytes)
{
	/* Since Go 1.26 (runtime2.go, maybeTraceablePtr) these are two words, the second the
	 * truth. */
	unsigned truth = layout->minor >= 26 ? WORD : 0;

	return (struct go_sudog){
		.address = address,
		.g = go_u64(bytes, layout->sudog.g),
		.next = go_u64(bytes, layout->sudog.next),
		.prev = go_u64(bytes, layout->sudog.prev),
		.elem = go_u64(bytes, layout->sudog.elem + truth),
		.waitlink = go_u64(bytes, layout->sudog.waitlink),
		.channel = go_u64(bytes, layout->sudog.c + truth),
		.ticket = go_u32(bytes, layout->sudog.ticket),
		.is_select = bytes[layout->sudog.is_select],
	};
}

bool go_channel_add(struct go_waits *waits, uint64_t address, uint32_t *number)
{
	size_t index, count;

	if (waits->channel_table.count >= GO_CHANNELS_MAX)
		return false;
	if (address_table_add(&waits->channel_table, address, 0, &index)) {
		count = index;
		array_reserve(waits->channels, count, waits->channel_capacity);
		waits->channels[index] = (struct go_channel){.address = address};
	}
	*number = (uint32_t)index;
	return true;
}

static void decode(const struct go_layout *layout, struct go_channel *channel, const uint8_t *bytes)
{
	channel->count = go_u64(bytes, layout->hchan.qcount);
	channel->room = go_u64(bytes, layout->hchan.dataqsiz);
	channel->element_size = (uint16_t)(go_u32(bytes, layout->hchan.elemsize) & 0xffff);
	channel->closed = go_u32(bytes, layout->hchan.closed);
	channel->element_type = go_u64(bytes, layout->hchan.elemtype);
	channel->timer = layout->hchan.timer == GO_ABSENT ? 0 : go_u64(bytes, layout->hchan.timer);
	channel->first[0] = go_u64(bytes, layout->hchan.recvq);
	channel->last[0] = go_u64(bytes, layout->hchan.recvq + WORD);
	channel->first[1] = go_u64(bytes, layout->hchan.sendq);
	channel->last[1] = go_u64(bytes, layout->hchan.sendq + WORD);
	channel->readable =
		channel->count <= channel->room && go_u32(bytes, layout->hchan.closed) <= 1;
}

void go_channels_read(struct go_waits *waits, const uint32_t *numbers, size_t count)
{
	const struct go_layout *layout = waits->go->layout;
	uint32_t *wanted cleanup_free = allocate(count * sizeof(*wanted) + 1);
	size_t wanted_count = 0;

	for (size_t i = 0; i < count; i++) {
		struct go_channel *channel = &waits->channels[numbers[i]];

		if (channel->batch == waits->batch)
			continue;
		channel->batch = waits->batch;
		channel->readable = false;
		wanted[wanted_count++] = numbers[i];
		go_pieces_add(&waits->pieces, channel->address, layout->hchan.size);
	}
	go_pieces_read(&waits->pieces);
	for (size_t i = 0; i < wanted_count; i++) {
		const uint8_t *bytes = go_pieces_get(&waits->pieces, i);

		if (bytes)
			decode(layout, &waits->channels[wanted[i]], bytes);
	}
	go_pieces_clear(&waits->pieces);
}

/* Whether the ends of the queue are as the sudog's own pointers say. */
static bool agrees(const struct go_channel *channel, const struct go_sudog *sudog, unsigned queue)
{
	uint64_t first = channel->first[queue], last = channel->last[queue];

	return first && last && (sudog->prev == 0) == (first == sudog->address) &&
	       (sudog->next == 0) == (last == sudog->address);
}

/* Whether the sudog is reached from the queue's first. */
static bool is_queued(const struct go_waits *waits, uint64_t first, const struct go_sudog *sudog)
{
	const struct go_layout *layout = waits->go->layout;
	uint64_t at = first;

	for (unsigned i = 0; i < QUEUE_MAX && at && at != sudog->address; i++) {
		if (!memory_read_now(waits->go->memory, at + layout->sudog.next, &at, WORD))
			return false;
	}
	return at == sudog->address;
}

bool go_channel_has(const struct go_waits *waits, const struct go_channel *channel,
	const struct go_sudog *sudog, bool *sends)
{
	if (!channel->readable)
		return false;
	/*
	 * Only a goroutine that selects on both sides of one channel makes both queues have
	 * somebody (src/runtime/chan.go, "Invariants").
	 */
	if (channel->first[0] && channel->first[1]) {
		*sends = is_queued(waits, channel->first[1], sudog);
		if (*sends == is_queued(waits, channel->first[0], sudog))
			return false;
	} else {
		*sends = channel->first[1];
	}
	return agrees(channel, sudog, *sends);
}

/* The type's name at @name, in the way of the version: src/reflect/type.go, name.readVarint(). */
static size_t name_length(const struct go_layout *layout, const uint8_t *bytes, size_t *length)
{
	size_t at = 1; /* behind the flags */

	*length = 0;
	if (layout->minor < VARINT_MINOR) {
		*length = (size_t)bytes[1] << 8 | bytes[2];
		return 3;
	}
	for (unsigned shift = 0; shift < 28; shift += 7) {
		uint8_t byte = bytes[at++];

		*length |= (size_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return at;
	}
	*length = 0;
	return at;
}

static const char *read_name(
	struct go_waits *waits, uint64_t address, uint64_t end, bool extra_star)
{
	uint8_t bytes[5 + TYPE_NAME_MAX] = {0};
	size_t wanted = end - address < sizeof(bytes) ? end - address : sizeof(bytes);
	struct text text cleanup_text = {0};
	size_t length;
	const struct memory *memory = &waits->go->tables.memory;

	if (memory->read(memory, address, bytes, wanted) < wanted)
		return NULL;
	size_t at = name_length(waits->go->layout, bytes, &length);
	if (extra_star && length && bytes[at] == '*') {
		at++;
		length--;
	}
	if (!length || at >= wanted || length > end - address)
		return NULL;
	size_t shown = length < wanted - at ? length : wanted - at;
	text_append_escaped(&text, bytes + at, shown);
	if (shown < length)
		text_append(&text, "…");
	return text_to_arena(&text, waits->go->arena);
}

static const char *find_name(struct go_waits *waits, uint64_t type, uint64_t size)
{
	const struct go_process *go = waits->go;
	const struct go_layout *layout = go->layout;
	uint8_t bytes[TYPE_BYTES];

	for (size_t i = 0; i < go->module_count; i++) {
		const struct go_module *module = &go->modules[i];

		if (type < module->types || type >= module->etypes ||
			layout->type.size > sizeof(bytes) ||
			!memory_read(&go->tables.memory, type, bytes, layout->type.size))
			continue;
		uint64_t offset = go_u32(bytes, layout->type.str);
		/* The first word of a type is its values' size. */
		if (go_u64(bytes, 0) != size || offset >= module->etypes - module->types)
			return NULL;
		return read_name(waits, module->types + offset, module->etypes,
			bytes[layout->type.tflag] & EXTRA_STAR);
	}
	return NULL;
}

const char *go_type_name(struct go_waits *waits, uint64_t type, uint64_t size)
{
	size_t number;

	if (address_table_add(&waits->type_table, type, (uint32_t)size, &number)) {
		size_t count = number;

		array_reserve(waits->type_names, count, waits->type_capacity);
		waits->type_names[number] = find_name(waits, type, size);
	}
	return waits->type_names[number];
}
