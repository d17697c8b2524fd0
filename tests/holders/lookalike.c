// SPDX-License-Identifier: Apache-2.0
/*
 * lookalike SCENE: a function that is called as glibc's and waits as that does, for a word of
 * memory that is no mutex, or not in order.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../situations/situations.h"

/* As it begins in glibc: lock, count, owner, users, kind. */
static union {
	uint32_t words[10];
	pthread_mutex_t mutex;
} memory = {.words = {2, 0, 0, 1, 0}};

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	for (;;)
		syscall(SYS_futex, mutex, 128 /* FUTEX_WAIT_PRIVATE */, 2, NULL, NULL, 0);
}

static const struct {
	const char *name;
	int word;
	uint32_t value;
} scenes[] = {
	{"no-kind", 4, 0x5000},
	{"shared", 4, 128},
	{"no-owner", 2, 0},
	{"no-users", 3, 0},
	{"count", 1, 3},
};

int main(int argc, char **argv)
{
	static struct facts facts;

	facts.stream = open_memstream(&facts.text, &facts.size);
	must(facts.stream ? 0 : -1, "open_memstream");
	memory.words[2] = (uint32_t)gettid(); /* a thread that lives */
	for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
		if (argc > 1 && strcmp(scenes[i].name, argv[1]) == 0)
			memory.words[scenes[i].word] = scenes[i].value;
	}
	fact_address(&facts, "address", &memory);
	ready(&facts, SYS_futex);
	pthread_mutex_lock(&memory.mutex);
	return EXIT_FAILURE;
}
