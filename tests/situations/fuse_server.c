// SPDX-License-Identifier: Apache-2.0
#include "fuse_server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "situations.h"
#include "switch.h"

#define FILE_NODE 2
/* Since Linux 6.6, include/uapi/linux/fuse.h; as bits of flags2. */
#define DIRECT_IO_ALLOW_MMAP (1u << (36 - 32))

/* What the file holds. */
static struct {
	char *bytes; /* NULL: nothing is read of it or written to it */
	size_t size;
	bool cached; /* by the kernel */
} content = {.size = HUNG_FILE_SIZE};

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
		.size = node == FUSE_ROOT_ID ? 0 : content.size,
	};
}

static void answer(int fd, uint64_t unique, int error, const void *body, size_t size)
{
	struct fuse_out_header header = {
		.len = sizeof header + size,
		.error = -error,
		.unique = unique,
	};
	struct iovec parts[] = {{&header, sizeof header}, {(void *)body, size}};
	must(writev(fd, parts, 2), "answer a FUSE request");
}

static void serve_read(int fd, uint64_t unique, const struct fuse_read_in *wanted)
{
	size_t left = wanted->offset < content.size ? content.size - wanted->offset : 0;
	answer(fd, unique, 0, content.bytes + wanted->offset,
		wanted->size < left ? wanted->size : left);
}

static void serve_write(int fd, uint64_t unique, const struct fuse_write_in *wanted)
{
	struct fuse_write_out out = {.size = wanted->size};
	memcpy(content.bytes + wanted->offset, wanted + 1, wanted->size);
	answer(fd, unique, 0, &out, sizeof out);
}

/* Serves the request in @request, unless the scene is set or nobody may ever hear of it. */
static void serve_one(int fd, const struct fuse_in_header *request, const char *body, int silent)
{
	if (silent == SILENT || (silent == SILENT_ON_READS && request->opcode == FUSE_READ))
		return;
	if (request->opcode == FUSE_INIT) {
		const struct fuse_init_in *theirs = (const void *)body;
		struct fuse_init_out ours = {
			.major = FUSE_KERNEL_VERSION,
			.minor = FUSE_KERNEL_MINOR_VERSION,
			.max_readahead = theirs->max_readahead,
			.max_write = 4096,
			.flags = FUSE_INIT_EXT,
			.flags2 = DIRECT_IO_ALLOW_MMAP,
		};
		answer(fd, request->unique, 0, &ours, sizeof ours);
	} else if (request->opcode == FUSE_GETATTR) {
		struct fuse_attr_out out = {.attr = attributes(request->nodeid)};
		answer(fd, request->unique, 0, &out, sizeof out);
	} else if (request->opcode == FUSE_LOOKUP && !strcmp(body, "file")) {
		struct fuse_entry_out out = {.nodeid = FILE_NODE, .attr = attributes(FILE_NODE)};
		answer(fd, request->unique, 0, &out, sizeof out);
	} else if (request->opcode == FUSE_OPEN) {
		struct fuse_open_out out = {
			.open_flags = content.cached
					      ? 0
					      : FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES};
		answer(fd, request->unique, 0, &out, sizeof out);
	} else if (request->opcode == FUSE_READ && content.bytes) {
		serve_read(fd, request->unique, (const void *)body);
	} else if (request->opcode == FUSE_WRITE && content.bytes) {
		serve_write(fd, request->unique, (const void *)body);
	} else if (request->opcode != FUSE_FORGET && request->opcode != FUSE_BATCH_FORGET) {
		answer(fd, request->unique, ENOSYS, NULL, 0);
	}
}

static void serve(int fd, atomic_int *silent)
{
	static _Alignas(struct fuse_in_header) char request[FUSE_MIN_READ_BUFFER * 2];
	for (;;) {
		ssize_t length = read(fd, request, sizeof request - 1);
		if (length < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (length < (ssize_t)sizeof(struct fuse_in_header))
			_exit(EXIT_SUCCESS);
		request[length] = '\0';
		serve_one(fd, (const void *)request, request + sizeof(struct fuse_in_header),
			atomic_load(silent));
	}
}

struct hung mount_hung(const char *directory, int image, bool cached)
{
	if (!directory)
		unsupported("needs a directory");
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		unsupported("/dev/fuse");
	/* A namespace of its own, so that the mount ends with its processes. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		unsupported("unshare(CLONE_NEWNS)");
	char options[100];
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("whystuck", directory, "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		unsupported("mount of a FUSE file system");

	content.cached = cached;
	if (image >= 0) {
		struct stat status;

		must(fstat(image, &status), "fstat");
		content.size = (size_t)status.st_size;
		content.bytes =
			mmap(NULL, content.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, image, 0);
		if (content.bytes == MAP_FAILED)
			unsupported("mmap of the image");
	}
	struct hung hung;
	hung.switch_file = make_switch();
	hung.silent = map_switch(hung.switch_file);
	hung.server = fork_companion();
	if (!hung.server)
		serve(device, hung.silent);
	close(device);
	snprintf(hung.path, sizeof hung.path, "%s/file", directory);
	hung.file = must(open(hung.path, O_RDWR), hung.path);
	return hung;
}
