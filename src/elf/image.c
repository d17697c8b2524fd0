// SPDX-License-Identifier: Apache-2.0
#include "elf/image.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/memory.h"

/*
 * No linker comes near these. A file with more is refused: libelf allocates for as many
 * sections as a header claims, up to the file's size, which may be a hole.
 */
#define SMALL_FILE (128 * 1024)

#define SEGMENTS_MAX 512
#define SECTIONS_MAX 65000
#define SECTION_NAMES_MAX (16u << 20)

#define NOTES_MAX (64 * 1024)
#define BUILD_ID_MAX 64

bool image_read(const struct image *image, uint64_t offset, void *to, size_t length)
{
	if (offset > image->size || length > image->size - offset)
		return false;
	if (image->bytes) {
		memcpy(to, image->bytes + offset, length);
		return true;
	}
	for (size_t done = 0; done < length;) {
		ssize_t got =
			pread(image->fd, (char *)to + done, length - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

const struct segment *image_segment(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];

		if (address >= segment->address && address - segment->address < segment->file_size)
			return segment;
	}
	return NULL;
}

struct note {
	uint32_t type;
	const uint8_t *name, *description;
	size_t name_size, description_size;
};

/* The note at *at, which becomes the next one's place; false: there are no more. */
static bool next_note(
	const uint8_t *notes, size_t length, uint64_t alignment, size_t *at, struct note *note)
{
	/* Notes are padded to 4 bytes, in segments of 8 byte alignment to 8. */
	size_t pad = alignment == 8 ? 7 : 3;
	Elf64_Nhdr header;

	if (*at >= length || length - *at < sizeof(header))
		return false;
	memcpy(&header, notes + *at, sizeof(header));
	size_t name = *at + sizeof(header);
	size_t description = (name + header.n_namesz + pad) & ~pad;
	if (description > length || header.n_descsz > length - description)
		return false;
	*note = (struct note){
		.type = header.n_type,
		.name = notes + name,
		.name_size = header.n_namesz,
		.description = notes + description,
		.description_size = header.n_descsz,
	};
	*at = (description + header.n_descsz + pad) & ~pad;
	return true;
}

static bool is_note(const struct note *note, const char *name, size_t name_size, uint32_t type)
{
	return note->type == type && note->name_size == name_size &&
	       memcmp(note->name, name, name_size) == 0;
}

char *build_id_in_notes(const uint8_t *notes, size_t length, uint64_t alignment)
{
	struct note note;

	for (size_t at = 0; next_note(notes, length, alignment, &at, &note);) {
		if (!is_note(&note, "GNU", sizeof("GNU"), NT_GNU_BUILD_ID) ||
			!note.description_size || note.description_size > BUILD_ID_MAX)
			continue;
		char *text = allocate(2 * note.description_size + 1);

		for (size_t i = 0; i < note.description_size; i++) {
			text[2 * i] = "0123456789abcdef"[note.description[i] >> 4];
			text[2 * i + 1] = "0123456789abcdef"[note.description[i] & 15];
		}
		text[2 * note.description_size] = '\0';
		return text;
	}
	return NULL;
}

static bool has_note(const struct image *image, const char *name, size_t name_size, uint32_t type)
{
	for (size_t i = 0; i < image->notes_count; i++) {
		const struct notes *notes = &image->notes[i];
		size_t length = notes->size < NOTES_MAX ? notes->size : NOTES_MAX;
		uint8_t *bytes cleanup_free = allocate(length);
		struct note note;

		if (!image_read(image, notes->offset, bytes, length))
			continue;
		for (size_t at = 0; next_note(bytes, length, notes->alignment, &at, &note);) {
			if (is_note(&note, name, name_size, type))
				return true;
		}
	}
	return false;
}

/* Every process that has the file mapped is asked the same. */
bool image_has_note(struct image *image, const char *name, size_t name_size, uint32_t type)
{
	if (image->last_note.name != name || image->last_note.type != type) {
		image->last_note.name = name;
		image->last_note.type = type;
		image->last_note.found = has_note(image, name, name_size, type);
	}
	return image->last_note.found;
}

/* Why a header is not one of a file that can be read; NULL: it is. */
static const char *header_problem(const Elf64_Ehdr *header)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (header->e_ident[EI_CLASS] == ELFCLASS32)
		return "a 32-bit ELF file";
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
		header->e_ident[EI_VERSION] != EV_CURRENT)
		return "an ELF file of another machine";
	if (header->e_machine != EM_X86_64 && header->e_machine != EM_AARCH64)
		return "an ELF file of another machine";
	return NULL;
}

/* Why it is not one of a file that can be mapped as code; NULL: it is. */
static const char *program_header_problem(const Elf64_Ehdr *header)
{
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return "neither an executable nor a shared library";
	if (header->e_phnum == 0 || header->e_phnum > SEGMENTS_MAX ||
		header->e_phentsize != sizeof(Elf64_Phdr))
		return "its program headers are broken";
	return NULL;
}

/* libelf reads the names of all sections at once, and allocates for each section. */
static const char *section_header_problem(const struct image *image, const Elf64_Ehdr *header)
{
	static const char problem[] = "its section headers are broken";
	Elf64_Shdr section;

	if (header->e_shoff == 0)
		return NULL;
	if (header->e_shentsize != sizeof(section) || header->e_shnum > SECTIONS_MAX)
		return problem;
	/* The number of sections may stand in the first section's size (gABI, e_shnum). */
	if (header->e_shnum == 0 && image_read(image, header->e_shoff, &section, sizeof(section)) &&
		section.sh_size > SECTIONS_MAX)
		return problem;
	if (header->e_shstrndx == SHN_XINDEX)
		return problem;
	if (header->e_shoff > image->size)
		return NULL;
	if (image_read(image, header->e_shoff + header->e_shstrndx * sizeof(section), &section,
		    sizeof(section)) &&
		section.sh_size > SECTION_NAMES_MAX)
		return problem;
	return NULL;
}

static bool valid_segment(const Elf64_Phdr *header)
{
	return header->p_filesz <= header->p_memsz &&
	       header->p_vaddr <= UINT64_MAX - header->p_memsz &&
	       header->p_offset <= UINT64_MAX - header->p_filesz;
}

static char *read_build_id(const struct image *image, const Elf64_Phdr *header)
{
	size_t length = header->p_filesz < NOTES_MAX ? header->p_filesz : NOTES_MAX;
	uint8_t *notes cleanup_free = allocate(length);

	if (!image_read(image, header->p_offset, notes, length))
		return NULL;
	return build_id_in_notes(notes, length, header->p_align);
}

static const char *read_headers(struct image *image)
{
	Elf64_Ehdr header;

	if (!image_read(image, 0, &header, sizeof(header)))
		return "not an ELF file";
	const char *problem = header_problem(&header);
	if (!problem)
		problem = section_header_problem(image, &header);
	if (!problem && !image->for_debug)
		problem = program_header_problem(&header);
	if (problem)
		return problem;
	image->machine = header.e_machine;
	image->entry = header.e_entry;
	if (image->for_debug)
		return NULL;

	Elf64_Phdr *headers cleanup_free = allocate(header.e_phnum * sizeof(*headers));
	if (!image_read(image, header.e_phoff, headers, header.e_phnum * sizeof(*headers)))
		return "its program headers are broken";
	image->segments = allocate_zeroed(header.e_phnum, sizeof(*image->segments));
	for (size_t i = 0; i < header.e_phnum; i++) {
		const Elf64_Phdr *from = &headers[i];

		if (!valid_segment(from))
			continue;
		if (from->p_type == PT_LOAD) {
			image->segments[image->segment_count++] = (struct segment){
				.address = from->p_vaddr,
				.offset = from->p_offset,
				.file_size = from->p_filesz,
				.memory_size = from->p_memsz,
				.executable = from->p_flags & PF_X,
			};
		} else if (from->p_type == PT_NOTE) {
			if (!image->build_id)
				image->build_id = read_build_id(image, from);
			if (image->notes_count < array_length(image->notes))
				image->notes[image->notes_count++] = (struct notes){
					from->p_offset, from->p_filesz, from->p_align};
		} else if (from->p_type == PT_GNU_EH_FRAME) {
			image->eh_frame_header = from->p_vaddr;
			image->eh_frame_header_size = from->p_filesz;
		}
	}
	return image->segment_count ? NULL : "it has nothing to load";
}

char *build_id_in_memory(const struct memory *memory, uint64_t address)
{
	Elf64_Ehdr header;
	Elf64_Phdr headers[32];
	uint64_t bias = 0;

	if (!memory_read(memory, address, &header, sizeof(header)) || header_problem(&header))
		return NULL;
	size_t count =
		header.e_phnum < array_length(headers) ? header.e_phnum : array_length(headers);
	if (!memory_read(memory, address + header.e_phoff, headers, count * sizeof(*headers)))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (headers[i].p_type == PT_LOAD && headers[i].p_offset == 0) {
			bias = address - headers[i].p_vaddr;
			break;
		}
	}
	for (size_t i = 0; i < count; i++) {
		uint8_t notes[4096];

		if (headers[i].p_type != PT_NOTE)
			continue;
		size_t length =
			headers[i].p_filesz < sizeof(notes) ? headers[i].p_filesz : sizeof(notes);
		if (!memory_read(memory, bias + headers[i].p_vaddr, notes, length))
			continue;
		char *found = build_id_in_notes(notes, length, headers[i].p_align);
		if (found)
			return found;
	}
	return NULL;
}

static struct image *image_begin(const char *path)
{
	struct image *image = allocate_zeroed(1, sizeof(*image));

	elf_version(EV_CURRENT);
	image->path = memcpy(allocate(strlen(path) + 1), path, strlen(path) + 1);
	image->fd = -1;
	return image;
}

static struct image *image_finish(struct image *image)
{
	if (!image->problem)
		image->problem = read_headers(image);
	if (!image->problem) {
		image->elf = image->bytes ? elf_memory((char *)image->bytes, image->size)
					  : elf_begin(image->fd, ELF_C_READ, NULL);
		if (!image->elf || elf_kind(image->elf) != ELF_K_ELF) {
			elf_end(image->elf);
			image->elf = NULL;
			image->problem = "a broken ELF file";
		}
	}
	return image;
}

/* A small file is read at once, in less time than its headers and sections one by one. */
static void read_whole(struct image *image)
{
	uint8_t *bytes = allocate(image->size);

	if (image_read(image, 0, bytes, image->size))
		image->bytes = bytes;
	else
		free(bytes);
}

static struct image *image_from_file(int fd, const char *path, bool for_debug)
{
	struct image *image = image_begin(path);
	struct stat status;

	image->fd = fd;
	image->for_debug = for_debug;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		image->problem = "not a regular file";
	else
		image->size = (uint64_t)status.st_size;
	if (!image->problem && image->size <= SMALL_FILE)
		read_whole(image);
	return image_finish(image);
}

struct image *image_create(int fd, const char *path)
{
	return image_from_file(fd, path, false);
}

/* The build id where the program headers may not tell the truth about offsets. */
static char *section_build_id(Elf *elf)
{
	Elf64_Shdr header;
	Elf_Scn *section = elf_section(elf, ".note.gnu.build-id", &header);

	if (!section || header.sh_size > NOTES_MAX)
		return NULL;
	const Elf_Data *data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf)
		return NULL;
	return build_id_in_notes(data->d_buf, data->d_size, header.sh_addralign);
}

struct image *image_create_for_debug(int fd, const char *path, bool trusted)
{
	struct image *image = image_from_file(fd, path, true);

	image->trusted = trusted;
	if (image->elf)
		image->build_id = section_build_id(image->elf);
	return image;
}

Elf_Scn *elf_section(Elf *elf, const char *name, Elf64_Shdr *header)
{
	size_t index, size = strlen(name) + 1;

	if (!elf || elf_getshdrstrndx(elf, &index) != 0)
		return NULL;
	/* elf_strptr() would check the table anew for each name. */
	const Elf_Data *names = elf_rawdata(elf_getscn(elf, index), NULL);
	if (!names || !names->d_buf || names->d_size < size)
		return NULL;
	for (Elf_Scn *section = elf_nextscn(elf, NULL); section;
		section = elf_nextscn(elf, section)) {
		if (gelf_getshdr(section, header) && header->sh_name <= names->d_size - size &&
			memcmp((const char *)names->d_buf + header->sh_name, name, size) == 0)
			return section;
	}
	return NULL;
}

struct image *image_create_from_bytes(uint8_t *bytes, size_t size, const char *path)
{
	struct image *image = image_begin(path);

	image->bytes = bytes;
	image->size = size;
	return image_finish(image);
}

void image_destroy(struct image *image)
{
	if (!image)
		return;
	if (image->free_symbols)
		image->free_symbols(image->symbols);
	if (image->free_rows)
		image->free_rows(image->rows);
	dwarf_end(image->dwarf);
	dwarf_end(image->alternate_dwarf);
	image_destroy(image->debug);
	image_destroy(image->alternate);
	elf_end(image->mapped);
	elf_end(image->elf);
	close_at(&image->fd);
	free((char *)image->path);
	free((char *)image->build_id);
	free(image->segments);
	free(image->bytes);
	free(image);
}
