// SPDX-License-Identifier: Apache-2.0
#include "runtimes/go/astray.h"

#include <stdlib.h>

#include "runtimes/go/globals.h"
#include "runtimes/go/goroutines.h"
#include "runtimes/go/threads.h"
#include "util/memory.h"

/* Reads the goroutine's g as it is now; false: it is another's. */
static bool read_raw(const struct go_process *go, const struct go_astray *astray, uint8_t *bytes,
	struct go_raw *raw)
{
	const struct go_layout *layout = go->layout;

	if (!memory_read_now(go->memory, astray->address, bytes, layout->g.size) ||
		!go_is_goroutine(layout, bytes, astray->address) ||
		go_u64(bytes, layout->g.goid) != astray->id)
		return false;
	*raw = (struct go_raw){
		.address = astray->address,
		.bytes = bytes,
		.status = go_u32(bytes, layout->g.atomicstatus) & ~(uint32_t)GO_SCAN,
		.machine = go_u64(bytes, layout->g.m),
	};
	return true;
}

size_t go_astray_threads(struct go_process *go, struct thread **threads, size_t max)
{
	uint8_t *bytes cleanup_free = allocate(go->layout->g.size);
	struct go_threads known;
	size_t count = 0;

	if (!go->astray_count)
		return 0;
	go_threads_init(&known, go);
	for (size_t i = 0; i < go->astray_count && count < max; i++) {
		struct go_raw raw;

		if (!read_raw(go, &go->astray[i], bytes, &raw) || raw.status != GO_RUNNING)
			continue;
		struct thread *thread = go_free_thread(&known, raw.machine);
		bool is_new = thread;
		for (size_t j = 0; j < count; j++)
			is_new &= threads[j] != thread;
		if (is_new)
			threads[count++] = thread;
	}
	go_threads_deinit(&known);
	return count;
}

static int by_id(const void *key, const void *item)
{
	uint64_t id = *(const uint64_t *)key;
	const struct goroutine *goroutine = item;

	return (id > goroutine->id) - (id < goroutine->id);
}

void go_astray_join(struct go_process *go)
{
	const struct process *process = go->process;
	uint8_t *bytes cleanup_free = allocate(go->layout->g.size);
	struct go_threads threads;
	size_t left = 0;

	go_threads_init(&threads, go);
	for (size_t i = 0; i < go->astray_count; i++) {
		const struct go_astray astray = go->astray[i];
		struct goroutine *goroutine = bsearch(&astray.id, process->goroutines,
			process->goroutine_count, sizeof(*goroutine), by_id);
		struct go_raw raw;

		if (goroutine && read_raw(go, &astray, bytes, &raw) &&
			!go_join_again(&threads, &raw, goroutine))
			go->astray[left++] = astray;
	}
	go->astray_count = left;
	go_thread_roles(&threads);
	go_threads_deinit(&threads);
}
