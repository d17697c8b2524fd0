// SPDX-License-Identifier: Apache-2.0
/* Processes that get no memory, each in a cgroup of its own (Documentation/admin-guide). */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "situations.h"

#define LIMIT "1048576" /* bytes */
#define WANTED (64 << 20)

static char cgroup[PATH_MAX];

static void remove_cgroup(int unused)
{
	(void)unused;
	for (int tries = 0; rmdir(cgroup) < 0 && tries < 1000; tries++)
		usleep(10000);
}

static bool set(const char *name, const char *value)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", cgroup, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_set = fd >= 0 && write(fd, value, strlen(value)) > 0;
	if (fd >= 0)
		close(fd);
	return is_set;
}

/* Enters a cgroup below the one that /proc/self/cgroup has in the line with @controllers. */
static void enter_cgroup(const char *root, const char *controllers)
{
	char line[PATH_MAX], *path = NULL, pid[16];
	FILE *file = fopen("/proc/self/cgroup", "re");
	while (file && !path && fgets(line, sizeof line, file)) {
		char *place = strchr(line, ':');
		if (place && strncmp(place, controllers, strlen(controllers)) == 0)
			path = place + strlen(controllers);
	}
	if (!path)
		unsupported("the memory controller");
	fclose(file);
	path[strcspn(path, "\n")] = '\0';
	snprintf(cgroup, sizeof cgroup, "%s%s/whystuck-%d", root, path, getpid());
	if (mkdir(cgroup, 0755) < 0)
		unsupported(cgroup);
	remove_at_end(remove_cgroup, 0);
	snprintf(pid, sizeof pid, "%d", getpid());
	if (!set("cgroup.procs", pid))
		unsupported("a cgroup of its own");
}

/* Touches more memory than there is, and is not done before it is given. */
static void take_memory(struct facts *facts)
{
	char *memory =
		mmap(NULL, WANTED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		unsupported("mmap");
	ready(facts, -1);
	for (;;)
		memset(memory, 1, WANTED);
}

/* Its limit is reached, and nobody is killed for it: cgroup-v1/memory.rst, "OOM Control". */
static void run_at_limit(struct facts *facts, const char *argument)
{
	(void)argument;
	enter_cgroup("/sys/fs/cgroup/memory", ":memory:");
	if (!set("memory.limit_in_bytes", LIMIT) || !set("memory.oom_control", "1"))
		unsupported("memory.oom_control");
	take_memory(facts);
}

/* It is above memory.high, and so slowed down, the more the further it is above: cgroup-v2.rst,
 * "Memory Interface Files". For each quarter of a MiB it sleeps two seconds soon. */
static void run_above_high(struct facts *facts, const char *argument)
{
	(void)argument;
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) < 0)
		unsupported("cgroup2 at /sys/fs/cgroup");
	enter_cgroup("/sys/fs/cgroup", "::");
	if (!set("memory.high", LIMIT))
		unsupported("memory.high");
	take_memory(facts);
}

const struct situation memory_situations[] = {
	{"memory-at-limit", run_at_limit},
	{"memory-above-high", run_above_high},
	{0},
};
