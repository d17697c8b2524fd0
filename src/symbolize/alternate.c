// SPDX-License-Identifier: Apache-2.0
#include "symbolize/alternate.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "util/file.h"
#include "util/text.h"

#define BUILD_ID_LIMIT 64

struct wanted {
	const char *name;
	const uint8_t *id;
	size_t id_length;
};

/*
 * Opens @path if it is the alternate file: a regular ELF file with DWARF and that build id, and
 * without an alternate of its own, which libdw would open in turn.
 */
static bool try_path(
	struct alternate *alternate, const struct wanted *wanted, int directory, const char *path)
{
	const void *id, *further_id;
	const char *further;
	int fd cleanup_close = -1;

	if (failed(file_open_regular(directory, path, &fd, NULL)))
		return false;
	Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
	if (!dwarf)
		return false;
	ssize_t length = dwelf_elf_gnu_build_id(dwarf_getelf(dwarf), &id);
	if (length != (ssize_t)wanted->id_length ||
		memcmp(id, wanted->id, wanted->id_length) != 0 ||
		dwelf_dwarf_gnu_debugaltlink(dwarf, &further, &further_id) != 0) {
		dwarf_end(dwarf);
		return false;
	}
	*alternate = (struct alternate){.dwarf = dwarf, .fd = fd};
	fd = -1;
	return true;
}

static bool try_build_id(struct alternate *alternate, const struct wanted *wanted, int root)
{
	struct text path cleanup_text = {0};

	text_append(&path, "usr/lib/debug/.build-id/");
	for (size_t i = 0; i < wanted->id_length; i++)
		text_append_format(&path, i == 1 ? "/%02x" : "%02x", wanted->id[i]);
	text_append(&path, ".debug");
	return try_path(alternate, wanted, root, path.bytes);
}

/* By the name in the link, which is relative to the folder of the file that has it. */
static bool try_name(
	struct alternate *alternate, const struct wanted *wanted, const struct image *image)
{
	struct text path cleanup_text = {0}, link cleanup_text = {0};

	if (wanted->name[0] == '/')
		return try_path(alternate, wanted, AT_FDCWD, wanted->name);
	text_append_format(
		&link, "/proc/self/fd/%d", image->debug_elf ? image->debug_fd : image->fd);
	if (failed(file_read_link(AT_FDCWD, link.bytes, &path)) || !path.length ||
		path.bytes[0] != '/')
		return false;
	path.length = (size_t)(strrchr(path.bytes, '/') - path.bytes) + 1;
	text_append(&path, wanted->name);
	return try_path(alternate, wanted, AT_FDCWD, path.bytes);
}

bool alternate_open(struct alternate *alternate, const struct image *image, int root)
{
	struct wanted wanted;
	const void *id;

	*alternate = (struct alternate){.fd = -1};
	ssize_t length = dwelf_dwarf_gnu_debugaltlink(image->dwarf, &wanted.name, &id);
	if (length == 0)
		return true;
	if (length < 2 || length > BUILD_ID_LIMIT)
		return false;
	wanted.id = id;
	wanted.id_length = (size_t)length;

	int own cleanup_close = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!(root >= 0 && try_build_id(alternate, &wanted, root)) &&
		!(own >= 0 && try_build_id(alternate, &wanted, own)) &&
		!try_name(alternate, &wanted, image))
		return false;
	dwarf_setalt(image->dwarf, alternate->dwarf);
	return true;
}

void alternate_close(struct alternate *alternate)
{
	if (alternate->dwarf) {
		dwarf_end(alternate->dwarf);
		close(alternate->fd);
	}
	*alternate = (struct alternate){.fd = -1};
}
