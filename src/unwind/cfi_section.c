// SPDX-License-Identifier: Apache-2.0
#include "unwind/cfi_section.h"

#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* Browsers come with 20 MB of it. What is larger is made up, and is not searched. */
#define EH_FRAME_MAX (256u << 20)
#define DEBUG_FRAME_MAX (256u << 20)

/* Without a table an entry is sought among all, at 24 bytes of ours each. */
#define INDEX_MAX (2u << 20)

/* The largest entries of real programs have some ten kilobytes. */
#define ENTRY_MAX (1u << 20)

#define PIECE (4u << 10)

#define ENCODING_OMIT 0xff
#define ENCODING_TABLE 0x3b /* datarel, sdata4: what linkers make */

static bool lazy_init(
	struct lazy_bytes *lazy, const struct image *image, uint64_t offset, uint64_t length)
{
	if (offset >= image->size)
		return false;
	if (length > image->size - offset)
		length = image->size - offset;
	*lazy = (struct lazy_bytes){.image = image, .offset = offset, .length = length};
	if (image->bytes) {
		lazy->bytes = image->bytes + offset;
	} else {
		lazy->bytes = allocate(length);
		lazy->loaded = allocate_zeroed(length / PIECE + 1, 1);
	}
	return true;
}

static void lazy_deinit(struct lazy_bytes *lazy)
{
	if (lazy->loaded)
		free(lazy->bytes);
	free(lazy->loaded);
}

/* The @length bytes at @offset, or NULL: beyond the end, or unreadable. */
static const uint8_t *lazy_get(struct lazy_bytes *lazy, uint64_t offset, uint64_t length)
{
	if (offset > lazy->length || length > lazy->length - offset)
		return NULL;
	for (uint64_t piece = offset / PIECE; lazy->loaded && piece * PIECE < offset + length;
		piece++) {
		uint64_t at = piece * PIECE;
		size_t size = lazy->length - at < PIECE ? lazy->length - at : PIECE;

		if (lazy->loaded[piece])
			continue;
		if (!image_read(lazy->image, lazy->offset + at, lazy->bytes + at, size))
			return NULL;
		lazy->loaded[piece] = 1;
	}
	return lazy->bytes + offset;
}

/* Takes what .eh_frame_hdr says of .eh_frame; its address there, or 0. */
static uint64_t read_header(struct cfi_section *section, const struct image *image)
{
	const uint64_t address = image->eh_frame_header;
	const struct segment *segment = image_segment(image, address);
	size_t first = image->eh_frame_header_size < 64 ? image->eh_frame_header_size : 64;

	if (!address || !segment ||
		!lazy_init(&section->header, image, segment->offset + (address - segment->address),
			image->eh_frame_header_size))
		return 0;
	const uint8_t *bytes = lazy_get(&section->header, 0, first);
	if (!bytes || first < 4 || bytes[0] != 1)
		return 0;
	const struct pointer_bases bases = {.section = address, .bytes = bytes, .data = address};
	struct reader reader = {.at = bytes + 4, .end = bytes + first};
	uint64_t eh_frame = read_encoded(&reader, bytes[1], &bases);
	if (reader.failed)
		return 0;
	if (bytes[2] != ENCODING_OMIT && bytes[3] == ENCODING_TABLE) {
		uint64_t count = read_encoded(&reader, bytes[2], &bases);
		uint64_t at = (uint64_t)(reader.at - bytes);

		if (!reader.failed && section->header.length >= at) {
			uint64_t room = (section->header.length - at) / 8;

			section->header_address = address;
			section->table_offset = at;
			section->table_count = count < room ? count : room;
		}
	}
	return eh_frame;
}

bool cfi_section_init_eh_frame(struct cfi_section *section, const struct image *image)
{
	Elf64_Shdr header;

	*section = (struct cfi_section){.is_debug_frame = false};
	section->address = read_header(section, image);
	const struct segment *segment =
		section->address ? image_segment(image, section->address) : NULL;
	if (segment) {
		/* Its size is not told: at most it ends with its segment. */
		uint64_t within = section->address - segment->address;
		uint64_t length = segment->file_size - within;

		return lazy_init(&section->bytes, image, segment->offset + within,
			length < EH_FRAME_MAX ? length : EH_FRAME_MAX);
	}
	section->table_count = 0;
	if (!elf_section(image->elf, ".eh_frame", &header) || header.sh_type == SHT_NOBITS ||
		header.sh_size > EH_FRAME_MAX)
		return false;
	section->address = header.sh_addr;
	return lazy_init(&section->bytes, image, header.sh_offset, header.sh_size);
}

/* The bytes of a section that may be compressed, in libelf's memory. */
static const Elf_Data *section_data(Elf *elf, const char *name, uint64_t limit)
{
	Elf64_Shdr header;
	GElf_Chdr compressed;
	Elf_Scn *found = elf_section(elf, name, &header);

	if (!found || header.sh_type == SHT_NOBITS || header.sh_size > limit)
		return NULL;
	if (header.sh_flags & SHF_COMPRESSED &&
		(!gelf_getchdr(found, &compressed) || compressed.ch_size > limit ||
			elf_compress(found, 0, 0) < 0))
		return NULL;
	return elf_rawdata(found, NULL);
}

bool cfi_section_init_debug_frame(struct cfi_section *section, Elf *elf)
{
	const Elf_Data *data = section_data(elf, ".debug_frame", DEBUG_FRAME_MAX);

	*section = (struct cfi_section){.is_debug_frame = true};
	if (!data || !data->d_buf)
		return false;
	section->bytes.bytes = data->d_buf;
	section->bytes.length = data->d_size;
	return true;
}

void cfi_section_deinit(struct cfi_section *section)
{
	lazy_deinit(&section->bytes);
	lazy_deinit(&section->header);
	free(section->index);
}

/* An entry's length, what it begins with, and its bytes after that. */
struct raw_entry {
	bool is_common;
	uint64_t common_offset; /* of its common information entry in the section */
	struct reader reader;
	uint64_t next; /* offset of the entry after it */
};

/* false: there is no entry at @offset. */
static bool read_entry(struct cfi_section *section, uint64_t offset, struct raw_entry *entry)
{
	uint64_t head = 4, id_size = 4, id, length;
	const uint8_t *bytes = lazy_get(&section->bytes, offset, 4);

	if (!bytes)
		return false;
	struct reader reader = {.at = bytes, .end = bytes + 4};
	length = read_unsigned(&reader, 4);
	if (length == UINT32_MAX) {
		head = 12;
		id_size = section->is_debug_frame ? 8 : 4;
		bytes = lazy_get(&section->bytes, offset + 4, 8);
		if (!bytes)
			return false;
		reader = (struct reader){.at = bytes, .end = bytes + 8};
		length = read_unsigned(&reader, 8);
	}
	/* Zero ends .eh_frame. */
	if (length < id_size || length > section->bytes.length)
		return false;
	entry->next = offset + head + length; /* no overflow: both are less than 2^32 */
	if (length > ENTRY_MAX) {
		entry->is_common = true;
		entry->reader = (struct reader){.failed = true};
		return entry->next <= section->bytes.length;
	}
	bytes = lazy_get(&section->bytes, offset + head, length);
	if (!bytes)
		return false;
	entry->reader = (struct reader){.at = bytes, .end = bytes + length};
	id = read_unsigned(&entry->reader, id_size);
	if (section->is_debug_frame) {
		entry->is_common = id == (id_size == 8 ? UINT64_MAX : UINT32_MAX);
		entry->common_offset = id;
	} else {
		entry->is_common = id == 0;
		entry->common_offset = offset + head - id;
	}
	return true;
}

/* What "z" announces: the data that each further letter of the augmentation stands for. */
static bool read_augmentation(const char *letters, struct reader *reader, struct cfi_entry *entry)
{
	uint64_t length = read_uleb(reader);
	const uint8_t *bytes = read_bytes(reader, length);

	if (!bytes)
		return false;
	struct reader data = {.at = bytes, .end = bytes + length};
	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			entry->pointer_encoding = (uint8_t)read_unsigned(&data, 1);
			break;
		case 'L':
			read_unsigned(&data, 1);
			break;
		case 'P':
			/* Only the size of the personality routine's address matters here. */
			read_encoded(&data, read_unsigned(&data, 1) & 0x0f, &entry->bases);
			break;
		case 'S':
			entry->signal_frame = true;
			break;
		case 'B': /* AArch64: return addresses are signed with the B key */
		case 'G': /* AArch64: the frame's memory is tagged */
			break;
		default:
			/* No letter after it can be understood; the length tells where all ends. */
			return !data.failed;
		}
	}
	return !data.failed;
}

/* A common information entry, into *entry. */
static bool read_common(struct cfi_section *section, uint64_t offset, struct cfi_entry *entry)
{
	struct raw_entry raw;

	if (!read_entry(section, offset, &raw) || !raw.is_common || raw.reader.failed)
		return false;
	struct reader *reader = &raw.reader;
	uint64_t version = read_unsigned(reader, 1);
	if (version != 1 && version != 3 && version != 4)
		return false;
	const char *letters = (const char *)reader->at;
	const uint8_t *nul = memchr(reader->at, 0, reader_left(reader));
	if (!nul)
		return false;
	reader->at = nul + 1;
	if (version == 4 && (read_unsigned(reader, 1) != 8 || read_unsigned(reader, 1) != 0))
		return false;
	entry->code_alignment = read_uleb(reader);
	entry->data_alignment = read_sleb(reader);
	entry->return_address = version == 1 ? read_unsigned(reader, 1) : read_uleb(reader);
	entry->pointer_encoding = 0;
	entry->signal_frame = false;
	entry->sized_augmentation = *letters == 'z';
	if (*letters &&
		!(entry->sized_augmentation && read_augmentation(letters + 1, reader, entry)))
		return false;
	entry->initial = *reader;
	return !reader->failed;
}

/* Whether *raw is an entry for a function that can be used; then *entry. */
static bool read_function(
	struct cfi_section *section, struct raw_entry *raw, struct cfi_entry *entry)
{
	struct reader *reader = &raw->reader;

	entry->bases = (struct pointer_bases){
		.section = section->address,
		.bytes = section->bytes.bytes,
		.data = section->header_address,
	};
	if (raw->is_common || reader->failed || !read_common(section, raw->common_offset, entry))
		return false;
	entry->start = read_encoded(reader, entry->pointer_encoding, &entry->bases);
	uint64_t length = read_encoded(reader, entry->pointer_encoding & 0x0f, &entry->bases);
	if (entry->sized_augmentation)
		read_bytes(reader, read_uleb(reader));
	entry->end = entry->start + length;
	entry->instructions = *reader;
	return !reader->failed && entry->end > entry->start;
}

enum cfi_entry_kind cfi_section_next(
	struct cfi_section *section, uint64_t *offset, struct cfi_entry *entry)
{
	struct raw_entry raw;

	if (!read_entry(section, *offset, &raw))
		return CFI_ENTRY_END;
	*offset = raw.next;
	return read_function(section, &raw, entry) ? CFI_ENTRY_FUNCTION : CFI_ENTRY_OTHER;
}

static int compare_start(const void *a, const void *b)
{
	const struct cfi_index_item *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

static void build_index(struct cfi_section *section)
{
	size_t capacity = 0;
	uint64_t offset = 0, here = 0;
	enum cfi_entry_kind kind;
	struct cfi_entry entry;

	section->indexed = true;
	while ((kind = cfi_section_next(section, &offset, &entry)) != CFI_ENTRY_END &&
		section->index_count < INDEX_MAX) {
		if (kind == CFI_ENTRY_FUNCTION) {
			array_reserve(section->index, section->index_count, capacity);
			section->index[section->index_count++] = (struct cfi_index_item){
				.start = entry.start, .end = entry.end, .offset = here};
		}
		here = offset;
	}
	if (section->index_count)
		qsort(section->index, section->index_count, sizeof(*section->index), compare_start);
}

/* The offset of the entry that may cover @address; UINT64_MAX: none does. */
static uint64_t search_index(const struct cfi_section *section, uint64_t address)
{
	size_t low = 0, high = section->index_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (section->index[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address < section->index[low - 1].end ? section->index[low - 1].offset
								: UINT64_MAX;
}

static uint64_t search_table(struct cfi_section *section, uint64_t address)
{
	size_t low = 0, high = section->table_count;
	uint64_t found = UINT64_MAX;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const uint8_t *bytes =
			lazy_get(&section->header, section->table_offset + 8 * middle, 8);

		if (!bytes)
			return UINT64_MAX;
		struct reader reader = {.at = bytes, .end = bytes + 8};
		uint64_t start = section->header_address + (uint64_t)read_signed(&reader, 4);
		uint64_t entry = section->header_address + (uint64_t)read_signed(&reader, 4);
		if (start <= address) {
			found = entry - section->address;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return found;
}

bool cfi_section_find(struct cfi_section *section, uint64_t address, struct cfi_entry *entry)
{
	uint64_t offset;

	if (section->table_count) {
		offset = search_table(section, address);
	} else {
		if (!section->indexed)
			build_index(section);
		offset = search_index(section, address);
	}
	return offset != UINT64_MAX &&
	       cfi_section_next(section, &offset, entry) == CFI_ENTRY_FUNCTION &&
	       address >= entry->start && address < entry->end;
}
