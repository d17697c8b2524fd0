// SPDX-License-Identifier: Apache-2.0
/* Waits for what a page or a file comes from: memory, disks, FUSE's daemons, other machines. */
#include <string.h>

#include "util/memory.h"
#include "waits/kinds.h"

static bool explain_memory(struct waiting *waiting)
{
	if (waiting->kernel & KERNEL_MEMORY_HIGH)
		say(waiting, "is held back: its cgroup uses more than its memory.high");
	else if (waiting->kernel & KERNEL_OOM)
		say(waiting,
			"waits for memory: its cgroup is at its limit, with the OOM killer off");
	else if (waiting->kernel & KERNEL_CGROUP_RECLAIM)
		say(waiting, "waits for memory to be freed: its cgroup is at its limit");
	else if (waiting->kernel & KERNEL_RECLAIM)
		say(waiting, "waits for memory to be freed: the machine is short of it");
	else
		return false;
	say_purpose(waiting);
	return true;
}

/*
 * Whether what the call works on lies on a file system of such a type, as the kernel's functions
 * say, or as is known where these are the page cache's, which are the same for every type.
 */
static bool lies_on(
	struct waiting *waiting, const char *type, uint64_t trait, struct file_system *found)
{
	bool is_cached = waiting->kernel & KERNEL_DISK && !(waiting->kernel & KERNEL_FAULT);

	return (waiting->kernel & trait || is_cached) && find_file_system(waiting, type, found) &&
	       (waiting->kernel & trait || !found->by_path);
}

/* Somebody that no look can be taken at: "10.0.0.7 (NFS)". */
static void add_unseen(struct waiting *waiting, const char *name, const char *what, bool is_guess)
{
	struct text text cleanup_text = {0};

	text_append_escaped(&text, name, strlen(name));
	text_append_format(&text, " (%s)", what);
	struct holder *holder =
		add_holder(waiting, SURE_OWNS, 0, 0, text_to_arena(&text, waiting->waits->arena));
	if (holder) {
		holder->unseen = true;
		holder->uncertain = is_guess;
	}
}

static bool explain_fuse(struct waiting *waiting)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	struct file_system found;
	bool is_known = lies_on(waiting, "fuse", KERNEL_FUSE, &found);

	if ((!is_known && !(waiting->kernel & KERNEL_FUSE)) || waiting->thread->kernel_lock.kind)
		return false;
	say(waiting, "waits for the answer of a FUSE file system's daemon");
	say_purpose(waiting);
	if (!is_known)
		return true;
	struct parties servers = surroundings->fuse_servers(surroundings, found.device);
	add_parties(waiting, &servers, "serves the file system");
	for (size_t i = 0; found.by_path && i < waiting->holder_count; i++)
		waiting->holders[i].uncertain = true;
	return true;
}

/* File systems on another machine, by how the names of their types begin. */
static const struct {
	const char *type, *name;
	uint64_t trait; /* 0: none tells it */
} remote_file_systems[] = {
	{"nfs", "NFS", KERNEL_NFS},
	{"cifs", "SMB", KERNEL_SMB},
	{"smb3", "SMB", KERNEL_SMB},
	{"ceph", "Ceph", 0},
	{"afs", "AFS", 0},
};

/* A thread of a client's own, cifsd for one, rests until its server sends something. */
static bool rests_for_server(const struct waiting *waiting)
{
	return waiting->process->is_kernel && waiting->thread->state != 'D';
}

/* What is being mounted lies on no file system yet: neither its source nor its target names it. */
static bool is_mount(const struct waiting *waiting)
{
	const struct syscall_row *row = waiting->call->row;

	return row && row->class == CALL_MOUNT && call_parameter(waiting->call, "source") >= 0;
}

/* What kind of server is waited for, and, as far as it is known, its file system; NULL: none. */
static const char *find_server(struct waiting *waiting, struct file_system *found)
{
	for (size_t i = 0; i < array_length(remote_file_systems) && !is_mount(waiting); i++) {
		if (lies_on(waiting, remote_file_systems[i].type, remote_file_systems[i].trait,
			    found))
			return remote_file_systems[i].name;
	}
	*found = (struct file_system){0};
	return waiting->kernel & KERNEL_NFS ? "NFS" : waiting->kernel & KERNEL_SMB ? "SMB" : NULL;
}

static bool explain_network_disk(struct waiting *waiting)
{
	struct file_system found;
	const char *name = find_server(waiting, &found);

	if (!name || waiting->thread->kernel_lock.kind || rests_for_server(waiting))
		return false;
	say(waiting, "waits for the %s server", name);
	if (found.server) {
		say(waiting, " ");
		say_escaped(waiting, found.server);
	}
	say_purpose(waiting);
	if (found.server)
		add_unseen(waiting, found.server, name, found.by_path);
	return true;
}

/* Whether the lock is taken by the page fault itself: then it is the address space's. */
static bool is_address_space_lock(const struct waiting *waiting)
{
	const char *function = kernel_function(waiting->thread, KERNEL_LOCK | KERNEL_SCHEDULER);

	return function && (kernel_function_is(function, "lock_mm_and_find_vma") ||
				   kernel_function_is(function, "do_user_addr_fault") ||
				   kernel_function_is(function, "do_page_fault"));
}

static bool is_remote(const struct file_system *found)
{
	for (size_t i = 0; i < array_length(remote_file_systems); i++) {
		if (is_of_type(found, remote_file_systems[i].type))
			return true;
	}
	return false;
}

/* Whether a file that it has mapped lies elsewhere than on a disk, so that a page may be read from
 * there. */
static bool maps_remote_files(const struct waiting *waiting)
{
	const struct mappings *mappings = &waiting->process->mappings;
	struct surroundings *surroundings = waiting->process->surroundings;
	struct file_system found;
	dev_t last = 0;

	for (size_t i = 0; i < mappings->count; i++) {
		dev_t device = mappings->items[i].device;

		if (!device || device == last)
			continue;
		last = device;
		if (surroundings && surroundings->file_system &&
			surroundings->file_system(
				surroundings, waiting->process->pid, device, NULL, &found) &&
			(is_of_type(&found, "fuse") || is_remote(&found)))
			return true;
	}
	return false;
}

static bool explain_page_fault(struct waiting *waiting)
{
	if (waiting->kernel & KERNEL_USERFAULT)
		say(waiting, "waits for a userfaultfd handler to answer a page fault");
	else if (!(waiting->kernel & KERNEL_FAULT))
		return false;
	else if (waiting->kernel & KERNEL_LOCK && is_address_space_lock(waiting))
		say(waiting, "waits for the lock of its address space (mmap_lock): a page fault");
	else if (!(waiting->kernel & KERNEL_DISK))
		return false;
	else if (maps_remote_files(waiting))
		say(waiting, "waits for a page to be read, of a file or from swap: a page fault");
	else
		say(waiting, "waits for the disk: a page fault");
	return true;
}

/* The disk that what the call works on lies on, where that is known: "/dev/vda1", "nvme0n1". */
static const char *find_disk(struct waiting *waiting)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	const struct descriptor *descriptor = waiting->descriptor;
	struct file_system found = {0};

	if (waiting->kernel & KERNEL_FAULT || !surroundings || !surroundings->file_system)
		return NULL;
	if (descriptor && descriptor->kind == DESCRIPTOR_BLOCK_DEVICE) {
		if (descriptor->path && strncmp(descriptor->path, "/dev/", 5) == 0)
			return descriptor->path;
		surroundings->file_system(
			surroundings, waiting->process->pid, descriptor->represents, NULL, &found);
		return found.disk;
	}
	return find_file_system(waiting, "", &found) && !found.by_path ? found.disk : NULL;
}

static void say_disk(struct waiting *waiting)
{
	const char *disk = find_disk(waiting);

	if (!disk)
		return;
	if (waiting->descriptor->kind != DESCRIPTOR_BLOCK_DEVICE) { /* or the call says it */
		say(waiting, " ");
		say_escaped(waiting, disk);
	}
	add_unseen(waiting, disk, "disk", false);
}

static bool explain_sync(struct waiting *waiting)
{
	if (waiting->thread->kernel_lock.kind) /* of the file's, held by another */
		return false;
	say(waiting, "waits for the disk");
	say_disk(waiting);
	say(waiting, ": ");
	say_call(waiting);
	return true;
}

static bool explain_disk(struct waiting *waiting)
{
	if (waiting->thread->kernel_lock.kind)
		return false;
	if (waiting->kernel & KERNEL_THROTTLED)
		say(waiting, "waits for the disk to take what was written before");
	else if (waiting->kernel & KERNEL_DISK)
		say(waiting, "waits for the disk");
	else
		return false;
	if (!(waiting->kernel & KERNEL_THROTTLED))
		say_disk(waiting);
	say_purpose(waiting);
	return true;
}

static const struct wait_kind rows[] = {
	{"memory", false, CALL_OTHER, explain_memory},
	{"fuse", false, CALL_OTHER, explain_fuse},
	{"network-disk", false, CALL_OTHER, explain_network_disk},
	{"page-fault", false, CALL_OTHER, explain_page_fault},
	{"sync", false, CALL_SYNC, explain_sync},
	{"disk", false, CALL_OTHER, explain_disk},
};

const struct wait_kinds waits_for_storage = KINDS(rows);
