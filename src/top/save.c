// SPDX-License-Identifier: Apache-2.0
#include "top/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/error.h"

#define NAME_SIZE 64
#define TRIES 100

/*
 * Opens a file that was not there, named for the moment of the look. Stacks may tell what is
 * nobody else's business: it is the user's alone.
 */
static int open_new(const struct look *look, char name[NAME_SIZE])
{
	time_t seconds = (time_t)(look->taken_at_ns / NS_PER_SECOND);
	struct tm local;
	char moment[32];
	int fd = -1;

	if (!localtime_r(&seconds, &local) ||
		!strftime(moment, sizeof(moment), "%Y%m%d-%H%M%S", &local)) {
		errno = EOVERFLOW;
		return -1;
	}
	for (int i = 1; fd < 0 && i <= TRIES; i++) {
		char suffix[8] = "";

		if (i > 1)
			snprintf(suffix, sizeof(suffix), "-%d", i);
		snprintf(name, NAME_SIZE, "whystuck-%s%s.json", moment, suffix);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

/* Writes the look; 0 or an errno value. Closes @fd. */
static int write_look(const struct top *top, int fd)
{
	struct render_options options = top->options->render;
	FILE *out = fdopen(fd, "w");
	int number = 0;

	if (!out) {
		number = errno;
		close(fd);
		return number;
	}
	options.color = false;
	errno = 0;
	renderer_json.render(top->look, &options, out);
	if (ferror(out))
		number = errno ? errno : EIO;
	if (fclose(out) && !number)
		number = errno;
	return number;
}

void save_look(struct top *top)
{
	char name[NAME_SIZE];
	int fd, number;

	if (!top->look)
		return;
	fd = open_new(top->look, name);
	number = fd < 0 ? errno : write_look(top, fd);
	if (number && fd >= 0)
		unlink(name); /* half a look is none */
	if (number)
		top_say(top, "not saved: %s: %s", name, error_errno(number).reason);
	else
		top_say(top, "saved as %s", name);
}
