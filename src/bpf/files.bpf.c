// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * A record for each file that a process has open and that may matter to others. It only reads.
 *
 * The kernel's structs are declared with the few members that are used; CO-RE finds where
 * they are on the kernel at hand.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "bpf/file_record.h"

/* include/linux/fs.h */
#define FMODE_READ 1
#define FMODE_WRITE 2

/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFCHR 0020000
#define S_IFDIR 0040000
#define S_IFBLK 0060000

/* include/uapi/linux/magic.h, fs/xfs/libxfs/xfs_format.h, ipc/mqueue.c */
#define PIPEFS_MAGIC 0x50495045
#define SOCKFS_MAGIC 0x534F434B
#define ANON_INODE_FS_MAGIC 0x09041934
#define TMPFS_MAGIC 0x01021994
#define PROC_SUPER_MAGIC 0x9fa0
#define EXT4_SUPER_MAGIC 0xEF53
#define XFS_SB_MAGIC 0x58465342
#define MQUEUE_MAGIC 0x19800202

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
} __attribute__((preserve_access_index));

struct inode {
	__u16 i_mode;
	unsigned long i_ino;
	__u32 i_rdev;
	struct super_block *i_sb;
} __attribute__((preserve_access_index));

struct file {
	unsigned int f_mode;
	struct inode *f_inode;
} __attribute__((preserve_access_index));

struct files_struct;

struct task_struct {
	int pid, tgid;
	struct task_struct *group_leader;
	struct files_struct *files;
} __attribute__((preserve_access_index));

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} __attribute__((preserve_access_index));

/* Whether stat() tells of the file system's files what the kernel has: overlayfs and btrfs do not.
 */
static int tells_plainly(unsigned long magic)
{
	return magic == PIPEFS_MAGIC || magic == SOCKFS_MAGIC || magic == ANON_INODE_FS_MAGIC ||
	       magic == TMPFS_MAGIC || magic == PROC_SUPER_MAGIC || magic == EXT4_SUPER_MAGIC ||
	       magic == XFS_SB_MAGIC || magic == MQUEUE_MAGIC;
}

SEC("iter/task_file")
int files(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;

	if (!task || !file)
		return 0;
	/* The main thread's, or, where that has ended before the others, theirs. */
	if (task->pid != task->tgid && task->group_leader->files)
		return 0;
	struct inode *inode = file->f_inode;
	__u32 kind = inode->i_mode & S_IFMT;
	__u32 represents = kind == S_IFCHR ? inode->i_rdev : 0;
	if (kind == S_IFDIR || kind == S_IFBLK)
		return 0;
	if (kind == S_IFCHR && represents != FILE_RECORD_PTMX && represents != FILE_RECORD_FUSE)
		return 0;
	struct super_block *system = inode->i_sb;
	unsigned long magic = system->s_magic;
	unsigned int mode = file->f_mode;
	struct file_record record = {
		.pid = task->tgid,
		.tid = task->pid,
		.fd = context->fd,
		.access = (mode & FMODE_READ ? FILE_RECORD_READS : 0) |
			  (mode & FMODE_WRITE ? FILE_RECORD_WRITES : 0),
		.device = tells_plainly(magic) ? system->s_dev : 0,
		.represents = represents,
		.inode = inode->i_ino,
	};
	bpf_seq_write(context->meta->seq, &record, sizeof(record));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
