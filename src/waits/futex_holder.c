// SPDX-License-Identifier: Apache-2.0
/* Who can end the wait for a futex: the thread whose id stands there, or any other that could. */
#include "waits/futex_parts.h"

const struct thread *find_thread(const struct waiting *waiting, pid_t tid)
{
	const struct process *process = waiting->process;

	if (same_pid_namespace(waiting))
		return thread_find(process, tid);
	for (size_t i = 0; i < process->thread_count; i++) {
		if (process->threads[i].namespace_tid == tid)
			return &process->threads[i];
	}
	return NULL;
}

/* Whether the process has the thread, though it was not looked at: not all were asked for, or it
 * is new. */
static bool has_other_thread(const struct waiting *waiting, pid_t tid)
{
	const struct process *process = waiting->process;

	return same_pid_namespace(waiting) && process->has_thread &&
	       process->has_thread(process, tid);
}

static struct holder *add_owner(struct waiting *waiting, pid_t pid, pid_t tid, const char *text)
{
	struct holder *holder = add_holder(waiting, SURE_OWNS, pid, tid, text);

	if (holder)
		holders_are_all(waiting);
	return holder;
}

static void add_lock_owner(struct waiting *waiting, const struct futex *futex,
	const struct lock *lock, const char *text)
{
	const struct process *process = waiting->process;
	const struct thread *thread = find_thread(waiting, lock->owner);
	struct holder *holder = NULL;

	if (thread && thread_is_alive(thread)) {
		holder = add_owner(waiting, process->pid, thread->tid, text);
	} else if (!thread && has_other_thread(waiting, lock->owner)) {
		holder = add_owner(waiting, process->pid, lock->owner, text);
	} else if (!same_pid_namespace(waiting) && !thread) {
		if (process->namespace_pid)
			say(waiting, ", which thread %d of its own pid namespace holds",
				lock->owner);
	} else if (futex->within || thread) {
		say(waiting, ", whose owner (thread %d) has ended", lock->owner);
	} else {
		/* Of which process, whoever looks at others finds out. */
		holder = add_owner(waiting, 0, lock->owner, text);
	}
	if (!holder)
		return;
	holder->proof = (struct proof){.address = lock->owner_address,
		.mask = lock->owner_mask,
		.value = (uint32_t)lock->owner};
	if (lock->uncertain) {
		holder->uncertain = true;
		waiting->holders_complete = false;
	}
}

void add_lock_holder(struct waiting *waiting, const struct futex *futex, const struct lock *lock,
	const char *text)
{
	switch (lock->state) {
	case LOCK_OWNED:
		add_lock_owner(waiting, futex, lock, text);
		break;
	case LOCK_DIED:
		say(waiting, ", whose owner has ended");
		break;
	case LOCK_UNRECORDED:
		say(waiting, " (who holds it is not recorded)");
		add_others(waiting, futex);
		break;
	case LOCK_READ:
		say(waiting, " (%u reader%s it)", lock->readers,
			lock->readers == 1 ? " has" : "s have");
		add_others(waiting, futex);
		break;
	case LOCK_UNKNOWN:
	case LOCK_CHANGING:
		break;
	}
}

bool add_joined(struct waiting *waiting, pid_t tid, uint64_t address)
{
	const struct thread *thread = find_thread(waiting, tid);
	pid_t id = thread ? thread->tid : tid;

	if (thread ? !thread_is_alive(thread) : !has_other_thread(waiting, tid))
		return false;
	struct holder *holder = add_owner(waiting, waiting->process->pid, id, "the joined thread");
	if (holder)
		holder->proof = (struct proof){
			.address = address, .mask = UINT32_MAX, .value = (uint32_t)tid};
	return true;
}

void add_others(struct waiting *waiting, const struct futex *futex)
{
	/* What has changed already lets it go on, or has it wait for something else. */
	if (!futex->within || (futex->known && futex->word != (uint32_t)futex->expected))
		return;
	if (add_holder(
		    waiting, SURE_MAY, waiting->process->pid, 0, "any other thread of its process"))
		holders_are_all(waiting);
}
