// SPDX-License-Identifier: Apache-2.0
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "situations.h"

static const struct situation *const tables[] = {
	async_situations,
	deadlock_situations,
	descriptor_situations,
	disk_situations,
	futex_situations,
	fuse_situations,
	holder_situations,
	holder_socket_situations,
	holder_thing_situations,
	hostile_situations,
	ipc_situations,
	lock_situations,
	memory_situations,
	network_disk_situations,
	pipe_situations,
	poll_situations,
	process_situations,
	share_situations,
	sleep_situations,
	socket_situations,
	thread_situations,
};

static const struct situation *situation_find(const char *name)
{
	for (size_t table = 0; table < sizeof tables / sizeof *tables; table++)
		for (const struct situation *one = tables[table]; one->name; one++)
			if (!strcmp(one->name, name))
				return one;
	return NULL;
}

static void list(void)
{
	for (size_t table = 0; table < sizeof tables / sizeof *tables; table++)
		for (const struct situation *one = tables[table]; one->name; one++)
			puts(one->name);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list();
		return EXIT_SUCCESS;
	}
	if (argc < 2)
		errx(EXIT_FAILURE, "usage: situations --list | NAME [ARGUMENT]");

	const struct situation *situation = situation_find(argv[1]);
	if (!situation)
		errx(EXIT_FAILURE, "no situation is called %s", argv[1]);

	static struct facts facts; /* not on a stack that a situation may leave */
	facts.stream = open_memstream(&facts.text, &facts.size);
	if (!facts.stream)
		err(EXIT_FAILURE, "open_memstream");
	situation->run(&facts, argv[2]);
	warnx("%s came back", situation->name);
	return EXIT_FAILURE;
}
