// SPDX-License-Identifier: Apache-2.0
#include "collect/surroundings.h"

#include "collect/children.h"
#include "collect/lock_holders.h"

struct live_surroundings {
	struct surroundings base;
	struct machine *machine;
	struct arena *arena;
	struct lock_holders *locks;
};

static struct live_surroundings *live_of(struct surroundings *surroundings)
{
	return (struct live_surroundings *)surroundings;
}

static struct parties lock_holders(
	struct surroundings *surroundings, pid_t pid, const struct file_lock *wanted)
{
	return lock_holders_find(live_of(surroundings)->locks, pid, wanted);
}

static struct parties children(struct surroundings *surroundings, pid_t pid, pid_t tid, pid_t group)
{
	return children_find(pid, tid, group, live_of(surroundings)->arena);
}

static struct parties vfork_child(struct surroundings *surroundings, pid_t pid, pid_t tid)
{
	return children_find_vfork(pid, tid, live_of(surroundings)->arena);
}

struct surroundings *surroundings_create(struct machine *machine, struct arena *arena)
{
	struct live_surroundings *live = arena_new(arena, struct live_surroundings, 1);

	live->base = (struct surroundings){
		.lock_holders = lock_holders,
		.children = children,
		.vfork_child = vfork_child,
	};
	live->machine = machine;
	live->arena = arena;
	live->locks = lock_holders_create(machine, arena);
	return &live->base;
}
