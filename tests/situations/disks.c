// SPDX-License-Identifier: Apache-2.0
/*
 * Calls that wait for a disk that does not answer: a loop device (drivers/block/loop.c) whose file
 * lies on a FUSE file system, whose server falls silent once the scene is set. The kernel's own
 * layers are all there: the file system, its journal, the page cache, the block device.
 *
 * Such a wait ends when the server does: the disk then fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse_server.h"
#include "situations.h"
#include "switch.h"

#define DISK_SIZE (8 << 20)
#define CONTENT_SIZE (256 << 10)

struct disk {
	char device[32]; /* "/dev/loop0" */
	int fd;          /* of the device */
	pid_t server;
	atomic_int *silent;
};

static _Alignas(4096) char buffer[4096];

/* "@directory/@name", in heap memory. */
static char *path_in(const char *directory, const char *name)
{
	char *path;
	must(asprintf(&path, "%s/%s", directory, name), "asprintf");
	return path;
}

/* A file system with one file, in the file @image. */
static void make_file_system(const char *directory, const char *image)
{
	char *content = path_in(directory, "content");
	memset(buffer, 'x', sizeof buffer); /* zeros would be a hole */
	must(mkdir(content, 0755), "mkdir");
	int file = must(open(path_in(content, "file"), O_WRONLY | O_CREAT, 0644), "open");
	for (int i = 0; i < CONTENT_SIZE; i += (int)sizeof buffer)
		must((int)write(file, buffer, sizeof buffer), "write");
	close(file);
	pid_t maker = must(fork(), "fork");
	if (!maker) {
		int null = must(open("/dev/null", O_RDWR), "/dev/null");
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", "-E",
			"lazy_itable_init=0,lazy_journal_init=0", "-d", content, image, NULL);
		_exit(127);
	}
	int status;
	must(waitpid(maker, &status, 0), "waitpid");
	if (status)
		unsupported("mkfs.ext4");
}

/* A block device with the bytes of the file @image. */
static struct disk make_disk(const char *directory, int image)
{
	char *mount_point = path_in(directory, "server");
	struct disk disk;

	must(mkdir(mount_point, 0755), "mkdir");
	struct hung hung = mount_hung(mount_point, image, false);
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		unsupported("/dev/loop-control");
	struct loop_config config = {
		.fd = (unsigned)hung.file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	for (int tries = 0;; tries++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			unsupported("a loop device");
		snprintf(disk.device, sizeof disk.device, "/dev/loop%d", number);
		disk.fd = open(disk.device, O_RDWR | O_CLOEXEC);
		if (disk.fd < 0)
			unsupported(disk.device);
		if (ioctl(disk.fd, LOOP_CONFIGURE, &config) == 0)
			break;
		if (errno != EBUSY || tries == 100) /* another may have been faster */
			unsupported("LOOP_CONFIGURE");
		close(disk.fd);
	}
	disk.server = hung.server;
	disk.silent = hung.silent;
	return disk;
}

static int make_image(const char *directory, char **path)
{
	if (!directory)
		unsupported("needs a directory");
	*path = path_in(directory, "image");
	int image = must(open(*path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), *path);
	must(ftruncate(image, DISK_SIZE), "ftruncate");
	return image;
}

static struct disk bare_disk(struct facts *facts, const char *directory)
{
	char *path;
	int image = make_image(directory, &path);
	struct disk disk = make_disk(directory, image);

	fact_string(facts, "device", disk.device);
	fact_number(facts, "server", disk.server);
	fact_number(facts, "fd", disk.fd);
	atomic_store(disk.silent, SILENT);
	return disk;
}

/* A file of a file system on a disk that is about to fall silent; @flags as of open(). */
static int file_on_disk(struct facts *facts, const char *directory, int flags, struct disk *disk)
{
	char *path;
	int image = make_image(directory, &path);
	char *mount_point = path_in(directory, "disk");

	make_file_system(directory, path);
	*disk = make_disk(directory, image);
	must(mkdir(mount_point, 0755), "mkdir");
	if (mount(disk->device, mount_point, "ext4", MS_NOATIME, NULL) < 0)
		unsupported("mount of ext4");
	char *name = path_in(mount_point, "file");
	int file = must(open(name, flags), name);
	fact_string(facts, "device", disk->device);
	fact_number(facts, "server", disk->server);
	fact_string(facts, "path", name);
	fact_number(facts, "fd", file);
	return file;
}

static void run_read_device(struct facts *facts, const char *argument)
{
	struct disk disk = bare_disk(facts, argument);
	ready(facts, SYS_read);
	must((int)read(disk.fd, buffer, sizeof buffer), "read");
}

static void run_fsync_device(struct facts *facts, const char *argument)
{
	struct disk disk = bare_disk(facts, argument);
	must((int)write(disk.fd, buffer, sizeof buffer), "write");
	ready(facts, SYS_fsync);
	must(fsync(disk.fd), "fsync");
}

static void run_read(struct facts *facts, const char *argument)
{
	struct disk disk;
	int file = file_on_disk(facts, argument, O_RDONLY, &disk);
	atomic_store(disk.silent, SILENT);
	ready(facts, SYS_read);
	must((int)read(file, buffer, sizeof buffer), "read");
}

static void run_direct_write(struct facts *facts, const char *argument)
{
	struct disk disk;
	int file = file_on_disk(facts, argument, O_RDWR | O_DIRECT, &disk);
	atomic_store(disk.silent, SILENT);
	ready(facts, SYS_write);
	must((int)write(file, buffer, sizeof buffer), "write");
}

static void run_fsync(struct facts *facts, const char *argument)
{
	struct disk disk;
	int file = file_on_disk(facts, argument, O_RDWR, &disk);
	must((int)pwrite(file, buffer, sizeof buffer, CONTENT_SIZE), "pwrite");
	atomic_store(disk.silent, SILENT);
	ready(facts, SYS_fsync);
	must(fsync(file), "fsync");
}

/* The file's page that the program touches is not in memory. */
static void run_page_fault(struct facts *facts, const char *argument)
{
	struct disk disk;
	int file = file_on_disk(facts, argument, O_RDONLY, &disk);
	const volatile char *bytes = mmap(NULL, CONTENT_SIZE, PROT_READ, MAP_SHARED, file, 0);
	if (bytes == MAP_FAILED)
		unsupported("mmap of the file");
	atomic_store(disk.silent, SILENT);
	ready(facts, -1);
	(void)bytes[CONTENT_SIZE / 2];
}

const struct situation disk_situations[] = {
	{"disk-read-device", run_read_device},
	{"disk-fsync-device", run_fsync_device},
	{"disk-read", run_read},
	{"disk-write", run_direct_write},
	{"disk-fsync", run_fsync},
	{"disk-page-fault", run_page_fault},
	{0},
};
