// SPDX-License-Identifier: Apache-2.0
/*
 * Images: every image opened so far. A file that several processes have mapped is
 * opened once, and so is the vDSO that they share.
 */
#pragma once

#include <sys/stat.h>

#include "elf/image.h"
#include "elf/modules.h"

/*
 * The image in the file @fd, whose fstat() gave @status; @fd is taken over. The same file
 * is known again by device, inode, size and the times of its last changes. Owned by @images.
 */
struct image *images_file(
	struct images *images, int fd, const struct stat *status, const char *path);

/*
 * The image of the file that the kernel has under these numbers in /proc/PID/maps, as
 * images_know_inode() was told; NULL: not known. Its open file keeps them from becoming another's.
 */
struct image *images_inode(struct images *images, dev_t device, ino_t number);
void images_know_inode(struct images *images, dev_t device, ino_t number, struct image *image);

/* Where it is noted that this world's own debug files give no answer; owned by @images. */
bool *images_debug_is_dead(struct images *images);

/* The image in these @size bytes of heap memory, which are taken over. Owned by @images. */
struct image *images_bytes(struct images *images, uint8_t *bytes, size_t size, const char *path);
