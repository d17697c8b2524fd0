/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) OR Apache-2.0 */
/* What the file iterator writes: shared with collect/file_iterator.c. */
#pragma once

#include <linux/types.h>

/* That a process has a file open: one that is no directory, and no device but those below, which
 * have another end. */
struct file_record {
	__u32 pid, tid; /* of the main thread, or, where that has ended, of another one */
	__u32 fd;
	__u32 access; /* FILE_RECORD_…; neither: opened with O_PATH */
	__u32 device; /* as the kernel has it, the minor in 20 bits; 0: only stat() can tell device
			 and inode */
	__u32 represents; /* devices: their number, in that form */
	__u64 inode;
};

/* Documentation/admin-guide/devices.txt: /dev/ptmx and /dev/fuse, in that form. */
#define FILE_RECORD_PTMX (5 << 20 | 2)
#define FILE_RECORD_FUSE (10 << 20 | 229)

#define FILE_RECORD_READS 1
#define FILE_RECORD_WRITES 2
