// SPDX-License-Identifier: Apache-2.0
/* Calls on the system as a whole. */
#include <sys/mount.h>
#include <sys/random.h>

#include "syscalls/table.h"

static const struct name mount_items[] = {
	NAME(MS_RDONLY),
	NAME(MS_NOSUID),
	NAME(MS_NODEV),
	NAME(MS_NOEXEC),
	NAME(MS_SYNCHRONOUS),
	NAME(MS_REMOUNT),
	NAME(MS_MANDLOCK),
	NAME(MS_DIRSYNC),
	NAME(MS_NOATIME),
	NAME(MS_NODIRATIME),
	NAME(MS_BIND),
	NAME(MS_MOVE),
	NAME(MS_REC),
	NAME(MS_SILENT),
	NAME(MS_UNBINDABLE),
	NAME(MS_PRIVATE),
	NAME(MS_SLAVE),
	NAME(MS_SHARED),
	NAME(MS_RELATIME),
	NAME(MS_STRICTATIME),
	NAME(MS_LAZYTIME),
};
static const struct names mount_flags = NAMES(mount_items);

static const struct name umount_items[] = {
	NAME(MNT_FORCE),
	NAME(MNT_DETACH),
	NAME(MNT_EXPIRE),
	NAME(UMOUNT_NOFOLLOW),
};
static const struct names umount_flags = NAMES(umount_items);

static const struct name random_items[] = {NAME(GRND_NONBLOCK), NAME(GRND_RANDOM)};
static const struct names random_flags = NAMES(random_items);

#define PATH                                                                                       \
	{                                                                                          \
		"path", &argument_string                                                           \
	}

static const struct syscall_row rows[] = {
	{"mount", CALL_MOUNT,
		{{"source", &argument_string}, {"target", &argument_string},
			{"filesystemtype", &argument_string},
			{"mountflags", &argument_flags, &mount_flags},
			{"data", &argument_pointer}}},
	{"umount2", CALL_MOUNT,
		{{"target", &argument_string}, {"flags", &argument_flags, &umount_flags}}},
	{"getrandom", CALL_OTHER,
		{{"buf", &argument_pointer}, {"buflen", &argument_size},
			{"flags", &argument_flags, &random_flags}}},
	{"init_module", CALL_OTHER,
		{{"module_image", &argument_pointer}, {"len", &argument_size},
			{"param_values", &argument_string}}},
	{"finit_module", CALL_OTHER,
		{{"fd", &argument_descriptor}, {"param_values", &argument_string},
			{"flags", &argument_hexadecimal}}},
	{"delete_module", CALL_OTHER,
		{{"name", &argument_string}, {"flags", &argument_open_flags}}},
	{"swapon", CALL_OTHER, {PATH, {"swapflags", &argument_hexadecimal}}},
	{"swapoff", CALL_OTHER, {PATH}},
	{"chroot", CALL_OTHER, {PATH}},
	{"reboot", CALL_OTHER,
		{{"magic", &argument_hexadecimal}, {"magic2", &argument_hexadecimal},
			{"op", &argument_hexadecimal}, {"arg", &argument_pointer}}},
};

const struct syscall_family syscalls_system = FAMILY(rows);
