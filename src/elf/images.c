// SPDX-License-Identifier: Apache-2.0
#include "elf/images.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/memory.h"
#include "util/hash.h"

/* Which file it is, and whether it is still as it was. */
struct identity {
	uint64_t device, inode, size;
	int64_t modified_s, modified_ns, changed_s, changed_ns;
};

struct file_image {
	struct identity identity;
	struct image *image;
	UT_hash_handle hh;
};

/* A file as /proc/PID/maps names it. */
struct inode {
	uint64_t device, number;
};

struct inode_image {
	struct inode inode;
	struct image *image;
	UT_hash_handle hh;
};

struct images {
	struct arena *arena;
	struct file_image *files;
	struct inode_image *inodes;
	struct image **from_memory;
	size_t from_memory_count, from_memory_capacity;
	bool debug_is_dead;
};

struct images *images_create(struct arena *arena)
{
	struct images *images = arena_new(arena, struct images, 1);

	images->arena = arena;
	return images;
}

void images_destroy(struct images *images)
{
	struct file_image *entry, *next;

	HASH_ITER(hh, images->files, entry, next)
	{
		HASH_DEL(images->files, entry);
		image_destroy(entry->image);
	}
	HASH_CLEAR(hh, images->inodes);
	for (size_t i = 0; i < images->from_memory_count; i++)
		image_destroy(images->from_memory[i]);
	free(images->from_memory);
	images->from_memory = NULL;
	images->from_memory_count = 0;
}

struct image *images_file(
	struct images *images, int fd, const struct stat *status, const char *path)
{
	const struct identity identity = {
		.device = status->st_dev,
		.inode = status->st_ino,
		.size = (uint64_t)status->st_size,
		.modified_s = status->st_mtim.tv_sec,
		.modified_ns = status->st_mtim.tv_nsec,
		.changed_s = status->st_ctim.tv_sec,
		.changed_ns = status->st_ctim.tv_nsec,
	};
	struct file_image *entry;

	HASH_FIND(hh, images->files, &identity, sizeof(identity), entry);
	if (entry) {
		close(fd);
		return entry->image;
	}
	entry = arena_new(images->arena, struct file_image, 1);
	entry->identity = identity;
	entry->image = image_create(fd, path);
	HASH_ADD(hh, images->files, identity, sizeof(entry->identity), entry);
	return entry->image;
}

struct image *images_inode(struct images *images, dev_t device, ino_t number)
{
	const struct inode inode = {device, number};
	struct inode_image *entry;

	HASH_FIND(hh, images->inodes, &inode, sizeof(inode), entry);
	return entry ? entry->image : NULL;
}

void images_know_inode(struct images *images, dev_t device, ino_t number, struct image *image)
{
	if (images_inode(images, device, number))
		return;
	struct inode_image *entry = arena_new(images->arena, struct inode_image, 1);
	entry->inode = (struct inode){device, number};
	entry->image = image;
	HASH_ADD(hh, images->inodes, inode, sizeof(entry->inode), entry);
}

bool *images_debug_is_dead(struct images *images)
{
	return &images->debug_is_dead;
}

struct image *images_bytes(struct images *images, uint8_t *bytes, size_t size, const char *path)
{
	for (size_t i = 0; i < images->from_memory_count; i++) {
		struct image *image = images->from_memory[i];

		if (image->size == size && memcmp(image->bytes, bytes, size) == 0) {
			free(bytes);
			return image;
		}
	}
	array_reserve(images->from_memory, images->from_memory_count, images->from_memory_capacity);
	struct image *image = image_create_from_bytes(bytes, size, path);
	images->from_memory[images->from_memory_count++] = image;
	return image;
}
