// SPDX-License-Identifier: Apache-2.0
/*
 * Reader: the numbers of DWARF (version 5, section 7.6) from bytes that may be anything.
 * Once something was beyond the end, all that is read is 0 and `failed` stays set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *at, *end;
	bool failed;
};

static inline size_t reader_left(const struct reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

/* The next @length bytes, or NULL. */
static inline const uint8_t *read_bytes(struct reader *reader, uint64_t length)
{
	const uint8_t *bytes = reader->at;

	if (reader->failed || length > reader_left(reader)) {
		reader->failed = true;
		return NULL;
	}
	reader->at += length;
	return bytes;
}

/* An unsigned number of @size bytes, at most 8, the low byte first. */
static inline uint64_t read_unsigned(struct reader *reader, size_t size)
{
	const uint8_t *bytes = read_bytes(reader, size);
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, size);
	return value;
}

static inline int64_t read_signed(struct reader *reader, size_t size)
{
	unsigned unused = 64 - 8 * (unsigned)size;

	return (int64_t)(read_unsigned(reader, size) << unused) >> unused;
}

/* LEB128; bits beyond the 64th are dropped. */
static inline uint64_t read_uleb(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0;; shift += 7) {
		const uint8_t *byte = read_bytes(reader, 1);

		if (!byte)
			return 0;
		if (shift < 64)
			value |= (uint64_t)(*byte & 0x7f) << shift;
		if (!(*byte & 0x80))
			return value;
	}
}

static inline int64_t read_sleb(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0;;) {
		const uint8_t *byte = read_bytes(reader, 1);

		if (!byte)
			return 0;
		if (shift < 64)
			value |= (uint64_t)(*byte & 0x7f) << shift;
		shift += 7;
		if (*byte & 0x80)
			continue;
		if (*byte & 0x40 && shift < 64)
			value |= ~UINT64_C(0) << shift;
		return (int64_t)value;
	}
}

/* What pointers are relative to; addresses of the file. */
struct pointer_bases {
	uint64_t section; /* of the first byte that @bytes points at */
	const uint8_t *bytes;
	uint64_t data; /* DW_EH_PE_datarel */
};

/*
 * A pointer in the encoding of .eh_frame (LSB 5.0, section 10.5.1, "DWARF Exception Header
 * Encoding"). The reader fails for encodings that name no address of the file.
 */
static inline uint64_t read_encoded(
	struct reader *reader, uint8_t encoding, const struct pointer_bases *bases)
{
	uint64_t position = bases->section + (uint64_t)(reader->at - bases->bytes), value;

	switch (encoding & 0x0f) {
	case 0x00: /* absptr */
	case 0x04: /* udata8 */
	case 0x0c: /* sdata8 */
		value = read_unsigned(reader, 8);
		break;
	case 0x01:
		value = read_uleb(reader);
		break;
	case 0x02:
		value = read_unsigned(reader, 2);
		break;
	case 0x03:
		value = read_unsigned(reader, 4);
		break;
	case 0x09:
		value = (uint64_t)read_sleb(reader);
		break;
	case 0x0a:
		value = (uint64_t)read_signed(reader, 2);
		break;
	case 0x0b:
		value = (uint64_t)read_signed(reader, 4);
		break;
	default:
		reader->failed = true;
		return 0;
	}
	switch (encoding & 0xf0) {
	case 0x00:
		return value;
	case 0x10: /* pcrel */
		return value + position;
	case 0x30: /* datarel */
		return value + bases->data;
	default:
		reader->failed = true;
		return 0;
	}
}
