// SPDX-License-Identifier: Apache-2.0
#include "elf/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/images.h"
#include "elf/mapped_file.h"
#include "elf/root.h"
#include "elf/target_file.h"
#include "util/file.h"
#include "util/memory.h"
#include "util/text.h"

#define VDSO_MAX (64 * 1024)

/* A module has a handful of mappings; a target can make as many as it likes. */
#define MAPPINGS_PER_MODULE 64

/* Files that are named as unusable: each is compared with those before it. */
#define UNUSABLE_NAMED 1000

/* What was found out about a mapping. */
struct place {
	bool sought;
	const struct module *module;
};

struct modules {
	struct images *images;
	struct process *process;
	struct arena *arena;
	struct place *places; /* by index of the mapping */
	size_t last;          /* index of the mapping that was found last */
	struct root root;
	bool map_files_stuck;
	size_t unusable; /* files, as far as they are named */
	dev_t dead;      /* a file system that gave no answer; 0: none did */
	uint64_t page_size;
};

/* The thread whose files in /proc are the process's. */
static int leader(const struct process *process)
{
	return process->leader ? process->leader : process->pid;
}

struct modules *modules_create(struct images *images, struct process *process, struct arena *arena)
{
	struct modules *modules = arena_new(arena, struct modules, 1);

	*modules = (struct modules){
		.images = images,
		.process = process,
		.arena = arena,
		.places = arena_new(arena, struct place, process->mappings.count),
		.page_size = (uint64_t)sysconf(_SC_PAGESIZE),
	};
	root_init(&modules->root, leader(process), process->guard, images_debug_is_dead(images));
	return modules;
}

void modules_destroy(struct modules *modules)
{
	root_deinit(&modules->root);
}

const struct code *modules_code(const struct modules *modules)
{
	return modules->process->code;
}

struct root *modules_root(struct modules *modules)
{
	return &modules->root;
}

static bool same_file(const struct mapping *a, const struct mapping *b)
{
	return a->inode == b->inode && a->device == b->device;
}

/* The index of the lowest mapping that belongs to the same copy of the file as mapping @index. */
static size_t first_mapping(const struct mappings *mappings, size_t index)
{
	size_t first = index;

	for (size_t i = index; i-- > 0 && index - i < MAPPINGS_PER_MODULE;) {
		const struct mapping *mapping = &mappings->items[i];

		if (mapping->inode && !same_file(mapping, &mappings->items[index]))
			break;
		if (!mapping->inode)
			continue;
		if (mapping->offset >= mappings->items[first].offset)
			break;
		first = i;
	}
	return first;
}

static size_t last_mapping(const struct mappings *mappings, size_t index)
{
	size_t last = index;

	for (size_t i = index + 1; i < mappings->count && i - index < MAPPINGS_PER_MODULE; i++) {
		const struct mapping *mapping = &mappings->items[i];

		if (mapping->inode && !same_file(mapping, &mappings->items[index]))
			break;
		if (!mapping->inode)
			continue;
		if (mapping->offset <= mappings->items[last].offset)
			break;
		last = i;
	}
	return last;
}

/*
 * The bias by which the executable segment that this mapping shows was loaded. A segment is mapped
 * from the page that its offset lies in, and mprotect() may have split the mapping since.
 */
static bool find_bias(const struct modules *modules, const struct image *image,
	const struct mapping *mapping, uint64_t *bias)
{
	uint64_t within = modules->page_size - 1;

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];

		if (!segment->executable || mapping->offset < (segment->offset & ~within) ||
			mapping->offset >= segment->offset + segment->file_size)
			continue;
		*bias = mapping->start - mapping->offset + segment->offset - segment->address;
		return true;
	}
	return false;
}

/* Files in memory that programs write their code into are no modules, and nothing is missing there.
 */
static bool is_code_buffer(const struct mapping *mapping)
{
	return strncmp(mapping->path, "/memfd:", 7) == 0 ||
	       strncmp(mapping->path, "/SYSV", 5) == 0 || strcmp(mapping->path, "/dev/zero") == 0;
}

/* The build id of the file in mapping @index, as the target's memory has it; heap, NULL: not known.
 */
static char *mapped_build_id(const struct modules *modules, size_t index)
{
	const struct mappings *mappings = &modules->process->mappings;
	const struct mapping *first = &mappings->items[first_mapping(mappings, index)];

	if (first->offset != 0 || !first->readable)
		return NULL;
	return build_id_in_memory(modules->process->memory, first->start);
}

/*
 * The image in @fd if it is the mapped file: by device and inode, or, since overlayfs and btrfs
 * show other numbers in /proc/PID/maps than in fstat(), by the build id. @certain: the kernel gave
 * the file that is mapped there, so that only another build id speaks against it.
 */
static struct image *accept_file(
	struct modules *modules, size_t index, int fd, const struct stat *status, bool certain)
{
	const struct mapping *mapping = &modules->process->mappings.items[index];
	struct image *image = images_file(modules->images, fd, status, mapping->path);

	if (status->st_dev == mapping->device && status->st_ino == mapping->inode) {
		images_know_inode(modules->images, mapping->device, mapping->inode, image);
		return image;
	}
	char *mapped cleanup_free = mapped_build_id(modules, index);
	if (!mapped || !image->build_id)
		return certain && !mapped ? image : NULL;
	return strcmp(mapped, image->build_id) == 0 ? image : NULL;
}

/* By another path than the mapping itself, unless its file system is known to give no answer. */
static struct error open_by_name(struct modules *modules, const struct mapping *mapping,
	bool in_root, const char *path, int *fd, struct stat *status)
{
	struct error error = {"its file system gives no answer", ETIMEDOUT};
	int root = in_root ? root_directory(&modules->root) : -1;

	if (modules->dead && modules->dead == mapping->device)
		return error;
	if (in_root && modules->root.is_stuck)
		return (struct error){
			"the file system of its root directory gives no answer", ETIMEDOUT};
	struct error own =
		target_file_open(modules->process->guard, in_root, root, path, fd, status);
	if (own.number != ETIMEDOUT)
		return own;
	modules->dead = mapping->device;
	return error;
}

/* Notes that a file can't be used, as @reason says, or that there are many more such. */
static void note_unusable(struct modules *modules, const char *reason)
{
	if (modules->unusable < UNUSABLE_NAMED) {
		modules->unusable++;
		gaps_add(&modules->process->gaps, modules->arena, STAGE_SYMBOLS, "%s", reason);
		return;
	}
	gaps_add(&modules->process->gaps, modules->arena, STAGE_SYMBOLS,
		"more than %d of the files that it has mapped can't be used", UNUSABLE_NAMED);
}

static struct image *open_mapped(struct modules *modules, size_t index)
{
	const struct process *process = modules->process;
	const struct mapping *mapping = &process->mappings.items[index];
	struct stat status;
	struct image *image = images_inode(modules->images, mapping->device, mapping->inode);
	char path[96];
	int fd;

	if (image)
		return image;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, leader(process),
		mapping->start, mapping->end);
	struct error refused = error_errno(ETIMEDOUT);
	if (!process->is_stuck && !modules->map_files_stuck) {
		refused = target_file_open(process->guard, false, -1, path, &fd, &status);
		modules->map_files_stuck = refused.number == ETIMEDOUT;
	}
	if (!failed(refused)) {
		image = accept_file(modules, index, fd, &status, true);
		if (image)
			return image;
	}
	if (process->exe && strncmp(process->exe, mapping->path, strlen(mapping->path)) == 0) {
		snprintf(path, sizeof(path), "/proc/%d/exe", leader(process));
		if (!failed(open_by_name(modules, mapping, false, path, &fd, &status))) {
			image = accept_file(modules, index, fd, &status, false);
			if (image)
				return image;
		}
	}
	struct error error = open_by_name(modules, mapping, true, mapping->path, &fd, &status);
	if (!failed(error)) {
		image = accept_file(modules, index, fd, &status, false);
		if (image)
			return image;
		error = error_because("it was replaced by another file");
	}
	if (refused.number == EMFILE) /* so the root could not be opened either */
		error = refused;
	const char *remedy = "";
	if (refused.number == EPERM || refused.number == EACCES)
		remedy = "; needs CAP_SYS_ADMIN: run with sudo";
	note_unusable(
		modules, arena_printf(modules->arena, "%s could not be opened: %s%s",
				 escaped(modules->arena, mapping->path), error.reason, remedy));
	return mapped_file_image(modules->images, process->memory, &process->mappings,
		first_mapping(&process->mappings, index), last_mapping(&process->mappings, index));
}

static struct image *read_vdso(struct modules *modules, const struct mapping *mapping)
{
	size_t size = mapping->end - mapping->start;

	if (size > VDSO_MAX)
		size = VDSO_MAX;
	uint8_t *bytes = allocate(size);
	if (memory_read(modules->process->memory, mapping->start, bytes, size))
		return images_bytes(modules->images, bytes, size, mapping->path);
	free(bytes);
	gaps_add(&modules->process->gaps, modules->arena, STAGE_SYMBOLS,
		"the vDSO could not be read from the process's memory");
	return NULL;
}

static const struct module *open_module(struct modules *modules, size_t index)
{
	const struct mappings *mappings = &modules->process->mappings;
	const struct mapping *mapping = &mappings->items[index];
	struct image *image;
	uint64_t bias;

	if (!mapping->executable)
		return NULL;
	if (mapping->inode)
		image = open_mapped(modules, index);
	else if (strcmp(mapping->path, "[vdso]") == 0)
		image = read_vdso(modules, mapping);
	else
		return NULL;
	if (!image || (image->problem && is_code_buffer(mapping)))
		return NULL;
	if (image->problem) {
		note_unusable(
			modules, arena_printf(modules->arena, "%s can't be used: %s",
					 escaped(modules->arena, mapping->path), image->problem));
		return NULL;
	}
	if (!find_bias(modules, image, mapping, &bias))
		return NULL;
	struct module *module = arena_new(modules->arena, struct module, 1);
	*module = (struct module){
		.image = image,
		.path = mapping->path,
		.bias = bias,
		.start = mappings->items[first_mapping(mappings, index)].start,
		.end = mappings->items[last_mapping(mappings, index)].end,
	};
	return module;
}

const struct mapping *modules_mapping(struct modules *modules, uint64_t address)
{
	const struct mappings *mappings = &modules->process->mappings;
	const struct mapping *mapping;

	if (modules->last < mappings->count) {
		mapping = &mappings->items[modules->last];
		if (address >= mapping->start && address < mapping->end)
			return mapping;
	}
	mapping = mappings_find(mappings, address);
	if (mapping)
		modules->last = (size_t)(mapping - mappings->items);
	return mapping;
}

const struct module *modules_find(struct modules *modules, uint64_t address)
{
	const struct mapping *mapping = modules_mapping(modules, address);

	if (!mapping)
		return NULL;
	size_t index = (size_t)(mapping - modules->process->mappings.items);
	struct place *place = &modules->places[index];
	if (!place->sought) {
		place->sought = true;
		place->module = open_module(modules, index);
	}
	return place->module;
}

const struct module *modules_next_opened(const struct modules *modules, size_t *index)
{
	while (*index < modules->process->mappings.count) {
		const struct module *module = modules->places[(*index)++].module;

		if (module)
			return module;
	}
	return NULL;
}
