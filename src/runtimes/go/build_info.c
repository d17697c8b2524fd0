// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/build_info.h"

#include <string.h>

#include "runtimes/go/layout.h"

/* src/debug/buildinfo/buildinfo.go: the flags at 15, since Go 1.18 the strings themselves at 32. */
static const char magic[] = "\xff Go buildinf:";
#define FLAGS 15
#define BIG_ENDIAN_FLAG 1u
#define INLINE_FLAG 2u
#define VERSION_POINTER 16

#define VERSION_MAX 127

/* Of "go1.23.4 X:boringcrypto" the first word tells all that one wants; "devel go1.26-…" the
 * second. */
static const char *clean(const char *version, size_t length, struct arena *arena)
{
	const char *devel = "devel ";

	if (length > strlen(devel) && strncmp(version, devel, strlen(devel)) == 0) {
		version += strlen(devel);
		length -= strlen(devel);
	}
	size_t kept = 0;
	while (kept < length && version[kept] > ' ' && version[kept] < 0x7f)
		kept++;
	if (kept < 3 || strncmp(version, "go1", 3) != 0)
		return NULL;
	return arena_strndup(arena, version, kept);
}

/* A length as encoding/binary's Uvarint() reads it; 0: none that makes sense. */
static size_t read_length(const uint8_t *bytes, size_t available, size_t *used)
{
	size_t value = 0;

	for (*used = 0; *used < available && *used < 3;) {
		uint8_t byte = bytes[(*used)++];

		value |= (size_t)(byte & 0x7f) << (7 * (*used - 1));
		if (!(byte & 0x80))
			return value;
	}
	return 0;
}

static const char *read_inline(const struct memory *memory, uint64_t address, struct arena *arena)
{
	uint8_t bytes[VERSION_MAX + 4];
	size_t used, got = memory->read(memory, address + GO_BUILD_INFO_SIZE, bytes, sizeof(bytes));
	size_t length = read_length(bytes, got, &used);

	if (!length || length > VERSION_MAX || length > got - used)
		return NULL;
	return clean((const char *)bytes + used, length, arena);
}

const char *go_string_version(const struct memory *memory, uint64_t address, struct arena *arena)
{
	uint64_t string[2];
	char bytes[VERSION_MAX];

	if (!memory_read(memory, address, string, sizeof(string)) || string[1] > sizeof(bytes) ||
		!memory_read(memory, string[0], bytes, string[1]))
		return NULL;
	/* Behind it stand only the names of experiments, as in "go1.23.4 X:boringcrypto". */
	const char *blank = memchr(bytes, ' ', string[1]);
	bool is_devel = string[1] > 6 && memcmp(bytes, "devel ", 6) == 0;
	if (blank && !is_devel && (blank + 1 == bytes + string[1] || blank[1] != 'X'))
		return NULL;
	for (size_t i = 0; !blank && i < string[1]; i++) {
		if (!strchr("0123456789.-+abcdefghijklmnopqrstuvwxyz_", bytes[i]) || !bytes[i])
			return NULL;
	}
	return clean(bytes, string[1], arena);
}

const char *go_build_version(const struct memory *memory, uint64_t address, struct arena *arena)
{
	uint8_t header[GO_BUILD_INFO_SIZE];

	if (!memory_read(memory, address, header, sizeof(header)) ||
		memcmp(header, magic, strlen(magic)) != 0 || header[FLAGS] & BIG_ENDIAN_FLAG)
		return NULL;
	if (header[FLAGS] & INLINE_FLAG)
		return read_inline(memory, address, arena);
	/* Up to Go 1.17 a pointer to the string's header stands there. */
	return go_string_version(memory, go_u64(header, VERSION_POINTER), arena);
}
