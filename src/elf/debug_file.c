// SPDX-License-Identifier: Apache-2.0
/*
 * Separate debug files, as gdb's manual describes them ("Separate Debug Files"): by
 * build id, then by .gnu_debuglink; and what dwz moved out of them (.gnu_debugaltlink).
 */
#include <elf.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <lzma.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elf/image.h"
#include "elf/root.h"
#include "elf/target_file.h"
#include "util/file.h"
#include "util/memory.h"
#include "util/text.h"

#define DEBUG_DIRECTORY "/usr/lib/debug"
#define LINK_MAX_BYTES 4096

/* libdw takes all debug sections of a file into memory at once. */
#define UNTRUSTED_DEBUG_MAX (512ull << 20)
#define CRC_MAX (1ull << 30)

/* What .gnu_debuglink says. */
struct debug_link {
	const char *name; /* in the image's section; NULL: none */
	uint32_t crc;
};

static struct debug_link read_link(Elf *elf)
{
	struct debug_link link = {0};
	Elf64_Shdr header;
	Elf_Scn *section = elf_section(elf, ".gnu_debuglink", &header);

	if (!section || header.sh_size > LINK_MAX_BYTES)
		return link;
	const Elf_Data *data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf)
		return link;
	size_t length = strnlen(data->d_buf, data->d_size);
	size_t crc = (length + 1 + 3) & ~(size_t)3;
	if (length == 0 || crc > data->d_size || data->d_size - crc < sizeof(link.crc) ||
		memchr(data->d_buf, '/', length))
		return link;
	memcpy(&link.crc, (const char *)data->d_buf + crc, sizeof(link.crc));
	link.name = data->d_buf;
	return link;
}

/* The CRC of gdb's manual is that of IEEE 802.3, as liblzma has it. */
static bool file_has_crc(const struct image *file, uint32_t wanted)
{
	static const size_t piece = 1 << 16;
	uint8_t *bytes cleanup_free = allocate(piece);
	uint32_t crc = 0;

	if (file->size > CRC_MAX)
		return false;
	for (uint64_t at = 0; at < file->size; at += piece) {
		size_t length = file->size - at < piece ? file->size - at : piece;

		if (!image_read(file, at, bytes, length))
			return false;
		crc = lzma_crc32(bytes, length, crc);
	}
	return crc == wanted;
}

/* How many bytes libdw would hold of this section once decompressed. */
static uint64_t loaded_size(
	const struct image *image, Elf_Scn *section, const Elf64_Shdr *header, const char *name)
{
	if (header->sh_type == SHT_NOBITS || strstr(name, "debug") == NULL)
		return 0;
	if (header->sh_size > UNTRUSTED_DEBUG_MAX)
		return header->sh_size;
	if (header->sh_flags & SHF_COMPRESSED) {
		GElf_Chdr compressed;

		return gelf_getchdr(section, &compressed) ? compressed.ch_size : header->sh_size;
	}
	if (strncmp(name, ".zdebug", 7) == 0) {
		uint8_t old[12]; /* "ZLIB" and the size, its highest byte first */
		uint64_t size = 0;

		if (!image_read(image, header->sh_offset, old, sizeof(old)))
			return 0;
		for (size_t i = 4; i < sizeof(old); i++)
			size = size << 8 | old[i];
		return size;
	}
	return header->sh_size;
}

/* Whether libdw may read the debug sections of a file that a target could have made. */
static bool debug_sections_bounded(const struct image *image)
{
	size_t names;
	uint64_t total = 0;

	if (elf_getshdrstrndx(image->elf, &names) != 0)
		return false;
	for (Elf_Scn *section = elf_nextscn(image->elf, NULL); section;
		section = elf_nextscn(image->elf, section)) {
		GElf_Shdr header; /* a copy: libelf's own may be misaligned */
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(image->elf, names, header.sh_name)
					   : NULL;
		uint64_t size = name ? loaded_size(image, section, &header, name) : 0;

		if (size > UNTRUSTED_DEBUG_MAX || (total += size) > UNTRUSTED_DEBUG_MAX)
			return false;
	}
	return true;
}

static bool has_section(Elf *elf, const char *name)
{
	Elf64_Shdr header;

	return elf_section(elf, name, &header) && header.sh_type != SHT_NOBITS;
}

static bool has_dwarf(Elf *elf)
{
	return has_section(elf, ".debug_info") || has_section(elf, ".zdebug_info");
}

/* Whether @file, opened as a debug file, is the one that belongs to @image. */
static bool describes(
	const struct image *file, const struct image *image, const struct debug_link *link)
{
	if (!file->elf || file->machine != image->machine)
		return false;
	if (image->build_id)
		return file->build_id && strcmp(image->build_id, file->build_id) == 0;
	return link->name && file_has_crc(file, link->crc);
}

static bool same_as_image(const struct image *image, const struct stat *status)
{
	struct stat own;

	return image->fd >= 0 && fstat(image->fd, &own) == 0 && own.st_dev == status->st_dev &&
	       own.st_ino == status->st_ino;
}

enum world { OURS, TARGETS };

/* Opens @path in this world or the target's. */
static struct image *open_candidate(struct root *root, enum world world, const char *path)
{
	bool own = world == OURS;
	bool *is_dead = !root ? NULL : own ? root->own_debug_is_dead : &root->debug_is_dead;
	struct stat status;
	int fd;

	if (!own && !root)
		return NULL;
	struct error error = error_errno(ETIMEDOUT);
	if (!is_dead || !*is_dead)
		error = target_file_open(root ? root->guard : NULL, !own,
			own ? -1 : root_directory(root), path, &fd, &status);
	if (is_dead && error.number == ETIMEDOUT)
		*is_dead = root->lacks_debug = true;
	if (failed(error))
		return NULL;
	/* What the administrator installed here is replaced by renaming, never cut off under us. */
	return image_create_for_debug(fd, path, own && status.st_uid == 0);
}

static struct image *try_path(const struct image *image, struct root *root, enum world world,
	const struct debug_link *link, const char *path)
{
	struct image *file = open_candidate(root, world, path);
	struct stat status;

	if (!file)
		return NULL;
	if (fstat(file->fd, &status) == 0 && !same_as_image(image, &status) &&
		describes(file, image, link) && (file->trusted || debug_sections_bounded(file)))
		return file;
	image_destroy(file);
	return NULL;
}

static void build_id_path(struct text *path, const char *build_id)
{
	text_clear(path);
	text_append_format(
		path, DEBUG_DIRECTORY "/.build-id/%.2s/%s.debug", build_id, build_id + 2);
}

static struct image *find_by_build_id(const struct image *image, struct root *root,
	enum world world, const struct debug_link *link)
{
	struct text path cleanup_text = {0};

	if (!image->build_id || strlen(image->build_id) < 4)
		return NULL;
	build_id_path(&path, image->build_id);
	return try_path(image, root, world, link, path.bytes);
}

static struct image *find_by_link(const struct image *image, struct root *root, enum world world,
	const struct debug_link *link)
{
	/* What stands before and after the image's directory. */
	static const char *const places[][2] = {
		{"", ""},
		{"", "/.debug"},
		{DEBUG_DIRECTORY, ""},
	};
	const char *slash = strrchr(image->path, '/');
	struct image *file = NULL;

	if (!link->name || !slash)
		return NULL;
	for (size_t i = 0; i < array_length(places) && !file; i++) {
		struct text path cleanup_text = {0};

		text_append_format(&path, "%s%.*s%s/%s", places[i][0], (int)(slash - image->path),
			image->path, places[i][1], link->name);
		file = try_path(image, root, world, link, path.bytes);
	}
	return file;
}

/*
 * An ELF file with one section, .debug_info, of one byte: libdw finds nothing in it. It stands
 * in for an alternate file that is not there, so that libdw does not go and open one by name.
 */
static struct image *empty_alternate(uint16_t machine)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		Elf64_Shdr sections[3];
		char names[23];
	} *file = allocate_zeroed(1, sizeof(*file));
	const uint64_t names_at = (uint64_t)((char *)file->names - (char *)file);

	file->header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(file->header),
		.e_shoff = sizeof(file->header) + sizeof(file->segment),
		.e_ehsize = sizeof(file->header),
		.e_phentsize = sizeof(file->segment),
		.e_phnum = 1,
		.e_shentsize = sizeof(file->sections[0]),
		.e_shnum = array_length(file->sections),
		.e_shstrndx = 2,
	};
	file->segment.p_type = PT_LOAD;
	memcpy(file->names, "\0.debug_info\0.shstrtab", sizeof(file->names));
	file->sections[1] = (Elf64_Shdr){
		.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = names_at, .sh_size = 1};
	file->sections[2] = (Elf64_Shdr){.sh_name = 13,
		.sh_type = SHT_STRTAB,
		.sh_offset = names_at,
		.sh_size = sizeof(file->names)};
	return image_create_from_bytes((uint8_t *)file, sizeof(*file), "");
}

/* The file that dwz moved common parts of @file's DWARF to; NULL: not found. */
static struct image *find_alternate(
	const struct image *file, struct root *root, const char *name, const char *build_id)
{
	static const enum world worlds[] = {OURS, TARGETS};
	struct text beside cleanup_text = {0}, by_id cleanup_text = {0};
	const char *slash = strrchr(file->path, '/');

	if (name[0] != '/' && slash)
		text_append_format(&beside, "%.*s/", (int)(slash - file->path), file->path);
	text_append(&beside, name);
	build_id_path(&by_id, build_id);
	for (size_t i = 0; i < 2 * array_length(worlds); i++) {
		struct image *found =
			open_candidate(root, worlds[i / 2], i % 2 ? beside.bytes : by_id.bytes);
		if (found && found->elf && found->build_id &&
			strcmp(found->build_id, build_id) == 0 &&
			(found->trusted || debug_sections_bounded(found)))
			return found;
		image_destroy(found);
	}
	return NULL;
}

/*
 * What libdw shall read, which takes whole sections however little of them is asked for: mapped
 * where that is safe. For a few symbols to be read it would take longer.
 */
static Elf *elf_for_dwarf(struct image *file)
{
	if (file->trusted && !file->bytes && !file->mapped)
		file->mapped = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	return file->mapped ? file->mapped : file->elf;
}

static void begin_dwarf(struct image *image, struct image *file, struct root *root)
{
	const char *name;
	const void *id;
	char build_id[2 * 64 + 1];

	image->dwarf = dwarf_begin_elf(elf_for_dwarf(file), DWARF_C_READ, NULL);
	if (!image->dwarf)
		return;
	ssize_t length = dwelf_dwarf_gnu_debugaltlink(image->dwarf, &name, &id);
	if (length <= 0)
		return;
	if (length > 3 && length <= 64) {
		for (ssize_t i = 0; i < length; i++)
			snprintf(build_id + 2 * i, 3, "%02x", ((const uint8_t *)id)[i]);
		image->alternate = find_alternate(file, root, name, build_id);
	}
	if (image->alternate)
		image->alternate_dwarf =
			dwarf_begin_elf(elf_for_dwarf(image->alternate), DWARF_C_READ, NULL);
	/* One that has an alternate in turn would have libdw open that one. */
	if (image->alternate_dwarf &&
		dwelf_dwarf_gnu_debugaltlink(image->alternate_dwarf, &name, &id) != 0) {
		dwarf_end(image->alternate_dwarf);
		image->alternate_dwarf = NULL;
	}
	if (!image->alternate_dwarf) {
		image_destroy(image->alternate);
		image->alternate = empty_alternate(image->machine);
		image->alternate_dwarf = dwarf_begin_elf(image->alternate->elf, DWARF_C_READ, NULL);
	}
	if (image->alternate_dwarf) {
		dwarf_setalt(image->dwarf, image->alternate_dwarf);
		return;
	}
	dwarf_end(image->dwarf);
	image->dwarf = NULL;
}

void image_find_debug(struct image *image, struct root *root)
{
	if (image->debug_sought)
		return;
	image->debug_sought = true;
	if (!image->elf || has_dwarf(image->elf))
		return;
	const struct debug_link link = read_link(image->elf);
	image->debug = find_by_build_id(image, root, OURS, &link);
	if (!image->debug)
		image->debug = find_by_build_id(image, root, TARGETS, &link);
	if (!image->debug)
		image->debug = find_by_link(image, root, TARGETS, &link);
	if (!image->debug)
		image->debug = find_by_link(image, root, OURS, &link);
	if (!image->debug)
		return;
	image->debug_elf = image->debug->elf;
}

Dwarf *image_dwarf(struct image *image, struct root *root)
{
	if (image->dwarf_sought)
		return image->dwarf;
	image->dwarf_sought = true;
	image_find_debug(image, root);
	if (image->debug)
		begin_dwarf(image, image->debug, root);
	else if (image->elf && has_dwarf(image->elf) && debug_sections_bounded(image))
		begin_dwarf(image, image, root);
	return image->dwarf;
}

uint64_t image_compressed_debug_size(struct image *image, struct root *root)
{
	uint64_t total = 0;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	image_find_debug(image, root);
	if (!image->debug)
		return 0;
	while ((section = elf_nextscn(image->debug->elf, section))) {
		if (gelf_getshdr(section, &header) && header.sh_flags & SHF_COMPRESSED &&
			__builtin_add_overflow(total, header.sh_size, &total))
			return UINT64_MAX;
	}
	return total;
}
