// SPDX-License-Identifier: Apache-2.0
/* File locks, FIFOs that are opened, mounts, ioctl, and copies between descriptors. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>

#include "waits/kinds.h"

/* The file and kind of lock that are asked for; false: what the descriptor is, is not known. */
static bool find_wanted(
	const struct waiting *waiting, enum file_lock_kind kind, struct file_lock *wanted)
{
	const struct descriptor *descriptor = waiting->descriptor;

	*wanted = (struct file_lock){.kind = kind, .last = INT64_MAX};
	if (!descriptor || !descriptor->inode || !waiting->process->surroundings)
		return false;
	wanted->fd = descriptor->fd;
	wanted->device = descriptor->device;
	wanted->inode = descriptor->inode;
	return true;
}

static void add_lock_holders(struct waiting *waiting, const struct file_lock *wanted)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	struct parties parties =
		surroundings->lock_holders(surroundings, waiting->process->pid, wanted);

	add_parties(waiting, &parties, "holds the lock");
}

static bool explain_flock(struct waiting *waiting)
{
	if (strcmp(waiting->call->name, "flock") != 0)
		return false;
	say(waiting, "waits for the lock on ");
	say_descriptor(waiting, (int)waiting->call->arguments[0]);
	bool exclusive = call_value(waiting, "operation") & LOCK_EX;
	say(waiting, " (flock, %s)", exclusive ? "exclusive" : "shared");
	struct file_lock wanted;
	if (find_wanted(waiting, FILE_LOCK_FLOCK, &wanted)) {
		wanted.exclusive = exclusive;
		add_lock_holders(waiting, &wanted);
	}
	return true;
}

/* ", bytes 0 to 99", where the range does not hang on the file's position or length. */
static void say_range(struct waiting *waiting, const struct flock *lock)
{
	int64_t last;

	if (lock->l_whence != SEEK_SET || lock->l_start < 0 || lock->l_len < 0)
		return;
	if (lock->l_len == 0)
		say(waiting, ", from byte %lld", (long long)lock->l_start);
	else if (!__builtin_add_overflow(lock->l_start, lock->l_len - 1, &last))
		say(waiting, ", bytes %lld to %lld", (long long)lock->l_start, (long long)last);
}

/* The bytes that are asked for, where that does not hang on the file's position or length. */
static void set_range(struct file_lock *wanted, const struct flock *lock)
{
	if (lock->l_whence != SEEK_SET || lock->l_start < 0 || lock->l_len < 0)
		return;
	wanted->first = lock->l_start;
	wanted->has_range = !lock->l_len ||
			    !__builtin_add_overflow(lock->l_start, lock->l_len - 1, &wanted->last);
}

static bool explain_record_lock(struct waiting *waiting)
{
	int command = (int)call_value(waiting, "cmd");
	struct file_lock wanted;
	struct flock lock;

	if (command != F_SETLKW && command != F_OFD_SETLKW)
		return false;
	say(waiting, "waits for the lock on ");
	say_descriptor(waiting, (int)waiting->call->arguments[0]);
	say(waiting, " (%s", command == F_SETLKW ? "fcntl" : "fcntl, open file description");
	if (memory_read(
		    waiting->process->memory, call_value(waiting, "arg"), &lock, sizeof(lock))) {
		say(waiting, lock.l_type == F_WRLCK ? ", write" : ", read");
		say_range(waiting, &lock);
		if (find_wanted(waiting,
			    command == F_SETLKW ? FILE_LOCK_POSIX : FILE_LOCK_DESCRIPTION,
			    &wanted)) {
			wanted.exclusive = lock.l_type == F_WRLCK;
			set_range(&wanted, &lock);
			add_lock_holders(waiting, &wanted);
		}
	}
	say(waiting, ")");
	return true;
}

/* How the file is opened; openat2 has it at the start of a structure. */
static bool open_access(const struct waiting *waiting, uint64_t *access)
{
	struct open_how how;

	if (call_parameter(waiting->call, "how") < 0) {
		*access = call_value(waiting, "flags") & O_ACCMODE;
		return call_parameter(waiting->call, "flags") >= 0;
	}
	if (!memory_read(waiting->process->memory, call_value(waiting, "how"), &how, sizeof(how)))
		return false;
	*access = how.flags & O_ACCMODE;
	return true;
}

static bool explain_fifo_open(struct waiting *waiting)
{
	char path[STRING_SHOWN];
	bool whole;
	uint64_t access;

	if (!(waiting->kernel & KERNEL_FIFO))
		return false;
	const char *other = !open_access(waiting, &access) ? "process"
			    : access == O_RDONLY           ? "writer"
							   : "reader";
	say(waiting, "waits for a %s to open FIFO ", other);
	long length = read_string(
		waiting->process->memory, call_value(waiting, "pathname"), path, &whole);
	if (length >= 0)
		text_append_escaped(&waiting->sentence, path, (size_t)length);
	else
		say_argument(waiting, "pathname");
	if (length >= 0 && !whole)
		say(waiting, "…");
	return true;
}

static bool explain_mount(struct waiting *waiting)
{
	bool mounts = call_parameter(waiting->call, "source") >= 0;

	say(waiting, mounts ? "waits for the mount of " : "waits for the unmount of ");
	if (mounts) {
		say_argument(waiting, "source");
		say(waiting, " on ");
	}
	say_argument(waiting, "target");
	return true;
}

static bool explain_ioctl(struct waiting *waiting)
{
	say(waiting, "waits in ioctl ");
	say_argument(waiting, "request");
	say(waiting, " of ");
	say_descriptor(waiting, (int)waiting->call->arguments[0]);
	return true;
}

static const struct descriptor *find(const struct waiting *waiting, int fd)
{
	return waiting->process->descriptors->find(waiting->process->descriptors, fd);
}

/* Whether the descriptor may make a copy wait for somebody: NULL may be anything. */
static bool may_block(const struct descriptor *descriptor)
{
	if (!descriptor)
		return true;
	switch (descriptor->kind) {
	case DESCRIPTOR_UNKNOWN:
	case DESCRIPTOR_PIPE:
	case DESCRIPTOR_FIFO:
	case DESCRIPTOR_SOCKET:
	case DESCRIPTOR_TTY:
		return true;
	default:
		return false;
	}
}

/* The argument that is the descriptor copied from, or to: calls name and order them differently. */
static int copy_fd(const struct waiting *waiting, const char *name, const char *other_name)
{
	int index = call_parameter(waiting->call, name);

	if (index < 0)
		index = call_parameter(waiting->call, other_name);
	return index < 0 ? -1 : (int)waiting->call->arguments[index];
}

static bool explain_copy(struct waiting *waiting)
{
	if (call_parameter(waiting->call, "fd") >= 0) /* vmsplice: between memory and one pipe */
		return false;
	int from = copy_fd(waiting, "fd_in", "in_fd"), to = copy_fd(waiting, "fd_out", "out_fd");
	const struct descriptor *source = find(waiting, from), *target = find(waiting, to);
	bool source_blocks = may_block(source), target_blocks = may_block(target);

	if (source_blocks && !target_blocks) {
		say(waiting, "waits for data on ");
		say_number_and_descriptor(waiting, from);
		say(waiting, ", to copy it to ");
		say_number_and_descriptor(waiting, to);
	} else if (target_blocks && !source_blocks) {
		say(waiting, "waits for room in ");
		say_number_and_descriptor(waiting, to);
		say(waiting, ", to copy to it from ");
		say_number_and_descriptor(waiting, from);
	} else {
		say(waiting, "waits for ");
		say_number_and_descriptor(waiting, from);
		say(waiting, " or ");
		say_number_and_descriptor(waiting, to);
		say(waiting, ", to copy from the one to the other");
	}
	if (source && source_blocks)
		add_peers(waiting, source, "the other end of the copy's source");
	if (target && target_blocks)
		add_peers(waiting, target, "the other end of the copy's target");
	say(waiting, " (%s)", waiting->call->name);
	return true;
}

/* vmsplice fills a pipe that is open for writing, and empties one that is not. */
static bool explain_memory_copy(struct waiting *waiting)
{
	const struct descriptor *descriptor = waiting->descriptor;

	say(waiting, "waits for ");
	if (descriptor && (descriptor->readable || descriptor->writable))
		say(waiting, descriptor->writable ? "room in " : "data on ");
	say_number_and_descriptor(waiting, (int)waiting->call->arguments[0]);
	say(waiting, " (%s)", waiting->call->name);
	if (descriptor)
		add_peers(waiting, descriptor, "the other end of the pipe");
	return true;
}

static const struct wait_kind rows[] = {
	{"file-lock", false, CALL_LOCK, explain_flock},
	{"file-lock", false, CALL_LOCK, explain_record_lock},
	{"fifo-open", false, CALL_OPEN, explain_fifo_open},
	{"mount", false, CALL_MOUNT, explain_mount},
	{"ioctl", false, CALL_IOCTL, explain_ioctl},
	{"splice", false, CALL_COPY, explain_copy},
	{"splice", false, CALL_COPY, explain_memory_copy},
};

const struct wait_kinds waits_for_file = KINDS(rows);
