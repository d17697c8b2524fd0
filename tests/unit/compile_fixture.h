// SPDX-License-Identifier: Apache-2.0
/*
 * Compile fixture: real programs for the tests of symbols and lines, made by the compilers and
 * tools of this machine in a folder of their own.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/image.h"
#include "util/memory.h"
#include "util/text.h"

struct folder {
	char path[64];
};

static inline struct folder folder_create(void)
{
	struct folder folder = {"/tmp/whystuck-test-XXXXXX"};

	assert_non_null(mkdtemp(folder.path));
	return folder;
}

/* What the command, run by sh in the folder, writes to standard output; false: it failed. */
__attribute__((format(printf, 3, 4))) static inline bool folder_run(
	const struct folder *folder, struct text *output, const char *format, ...)
{
	struct text command = {0};
	char buffer[65536];
	va_list arguments;
	size_t got;

	text_append_format(&command, "cd %s && ", folder->path);
	va_start(arguments, format);
	text_append_vformat(&command, format, arguments);
	va_end(arguments);
	fflush(NULL);
	FILE *pipe = popen(command.bytes, "re");
	assert_non_null(pipe);
	while ((got = fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
		if (output)
			text_append_bytes(output, buffer, got);
	}
	bool ok = pclose(pipe) == 0;
	if (!ok)
		print_message("failed: %s\n", command.bytes);
	text_deinit(&command);
	return ok;
}

static inline void folder_destroy(struct folder *folder)
{
	folder_run(folder, NULL, "rm -rf %s", folder->path);
}

static inline bool has_tool(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", name);
	if (system(command) == 0)
		return true;
	print_message("left out: %s is not installed\n", name);
	return false;
}

static inline void folder_write(const struct folder *folder, const char *name, const char *content)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
	assert_int_equal(fclose(file), 0);
}

/* The image of a file in the folder, or of an absolute path. */
static inline struct image *folder_image(const struct folder *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : folder->path,
		name[0] == '/' ? "" : "/", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return image_create(fd, path);
}

/* A line of nm's. */
struct nm_symbol {
	uint64_t address, size;
	char type;
	char name[4096];
};

/* Reads the next line of `nm -S` in *text; false at the end. Lines without an address are skipped.
 */
static inline bool nm_next(char **text, struct nm_symbol *symbol)
{
	for (char *line; (line = strsep(text, "\n"));) {
		*symbol = (struct nm_symbol){0};
		if (sscanf(line, "%lx %lx %c %4095s", &symbol->address, &symbol->size,
			    &symbol->type, symbol->name) == 4)
			return true;
		symbol->size = 0;
		if (sscanf(line, "%lx %c %4095s", &symbol->address, &symbol->type, symbol->name) ==
			3)
			return true;
	}
	return false;
}

/* The address of the symbol that `nm` shows for the file. */
static inline uint64_t nm_address(const struct folder *folder, const char *file, const char *name)
{
	struct text output = {0};
	struct nm_symbol symbol;
	uint64_t found = 0;

	assert_true(folder_run(folder, &output, "nm -S %s", file));
	for (char *at = output.bytes; nm_next(&at, &symbol);) {
		if (strcmp(symbol.name, name) == 0)
			found = symbol.address;
	}
	text_deinit(&output);
	assert_true(found != 0);
	return found;
}
