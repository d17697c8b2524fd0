// SPDX-License-Identifier: Apache-2.0
/*
 * Calls that wait for a file server of another machine. For NFS a companion serves one file by
 * version 3 over TCP, numbered as in RFC 1813 (the protocol, and MOUNT in its appendix I), RFC 5531
 * (RPC) and RFC 4506 (XDR), until it is told to be silent. For SMB one listens, and has nothing to
 * say at all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "situations.h"
#include "switch.h"

enum { PROGRAM_NFS = 100003, PROGRAM_MOUNT = 100005 };
enum { NULL_PROCEDURE = 0, MOUNT_MNT = 1 };
enum { NFS_GETATTR = 1, NFS_LOOKUP = 3, NFS_ACCESS = 4, NFS_READ = 6 };
enum { NFS_FSINFO = 19, NFS_PATHCONF = 20 };
enum { REPLY = 1, ACCEPTED = 0, AUTH_NONE = 0, AUTH_SYS = 1 };
enum { SUCCESS = 0, PROGRAM_UNAVAILABLE = 1, PROCEDURE_UNAVAILABLE = 3 };
enum { TYPE_REGULAR = 1, TYPE_DIRECTORY = 2 };
enum { NO_SUCH_ENTRY = 2 }; /* NFS3ERR_NOENT */

#define LAST_FRAGMENT 0x80000000u
#define TRANSFER_SIZE 4096u

/* The file handles, each of one word. */
enum { ROOT = 1, THE_FILE = 2 };

static char buffer[TRANSFER_SIZE] __attribute__((aligned(4096)));

/* What is read or written, in words of XDR; the first of a record is its mark. */
struct record {
	uint32_t words[2048];
	size_t count, next;
};

static void put(struct record *record, uint32_t value)
{
	record->words[record->count++] = htonl(value);
}

static void put_long(struct record *record, uint64_t value)
{
	put(record, value >> 32);
	put(record, value);
}

/* The next word; 0 where there is none. */
static uint32_t take(struct record *record)
{
	return record->next < record->count ? ntohl(record->words[record->next++]) : 0;
}

/* Passes over bytes of a length that stands before them; where they begin. */
static const void *take_opaque(struct record *record, uint32_t *length)
{
	*length = take(record);
	const void *bytes = record->words + record->next;
	size_t words = ((size_t)*length + 3) / 4, left = record->count - record->next;
	if (words > left)
		exit(EXIT_FAILURE);
	record->next += words;
	return bytes;
}

static uint32_t take_handle(struct record *record)
{
	uint32_t length, handle = 0;
	const void *bytes = take_opaque(record, &length);
	if (length == sizeof handle)
		memcpy(&handle, bytes, sizeof handle);
	return ntohl(handle);
}

static void put_handle(struct record *record, uint32_t handle)
{
	put(record, sizeof handle);
	put(record, handle);
}

/* The one file that is served: this program. */
static int program_file(void)
{
	static int file = -1;
	if (file < 0)
		file = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "/proc/self/exe");
	return file;
}

/* fattr3 */
static void put_attributes(struct record *record, uint32_t handle)
{
	bool is_root = handle == ROOT;
	struct stat status;
	must(fstat(program_file(), &status), "fstat");
	put(record, is_root ? TYPE_DIRECTORY : TYPE_REGULAR);
	put(record, 0755);
	put(record, 1);                         /* nlink */
	put_long(record, 0);                    /* uid, gid */
	put_long(record, status.st_size);       /* size */
	put_long(record, status.st_size);       /* used */
	put_long(record, 0);                    /* rdev */
	put_long(record, 1);                    /* fsid */
	put_long(record, handle);               /* fileid */
	for (int stamp = 0; stamp < 3; stamp++) /* atime, mtime, ctime */
		put_long(record, 1ull << 32);
}

/* post_op_attr */
static void put_optional_attributes(struct record *record, uint32_t handle)
{
	put(record, true);
	put_attributes(record, handle);
}

static void serve_lookup(struct record *call, struct record *reply)
{
	uint32_t length, directory = take_handle(call);
	const void *name = take_opaque(call, &length);
	bool found = directory == ROOT && length == strlen("file") && !memcmp(name, "file", length);
	put(reply, found ? SUCCESS : NO_SUCH_ENTRY);
	if (found) {
		put_handle(reply, THE_FILE);
		put_optional_attributes(reply, THE_FILE);
	}
	put_optional_attributes(reply, directory);
}

static void put_file_system_facts(struct record *reply)
{
	for (int direction = 0; direction < 2; direction++) {
		put(reply, TRANSFER_SIZE); /* rtmax, wtmax */
		put(reply, TRANSFER_SIZE); /* rtpref, wtpref */
		put(reply, 512);           /* rtmult, wtmult */
	}
	put(reply, TRANSFER_SIZE);         /* dtpref */
	put_long(reply, INT64_MAX);        /* maxfilesize */
	put_long(reply, 1);                /* time_delta */
	put(reply, 0x8 /* homogeneous */); /* properties */
}

static void put_path_facts(struct record *reply)
{
	put(reply, 1);     /* linkmax */
	put(reply, 255);   /* name_max */
	put(reply, true);  /* no_trunc */
	put(reply, true);  /* chown_restricted */
	put(reply, false); /* case_insensitive */
	put(reply, true);  /* case_preserving */
}

static void serve_read(struct record *call, struct record *reply)
{
	uint64_t offset = (uint64_t)take(call) << 32;
	offset |= take(call);
	uint32_t count = take(call);
	if (count > TRANSFER_SIZE)
		count = TRANSFER_SIZE;
	uint32_t *results = reply->words + reply->count;
	ssize_t got = must(pread(program_file(), results + 3, count, offset), "pread");
	put(reply, got);         /* count */
	put(reply, got < count); /* eof */
	put(reply, got);         /* the length of data */
	reply->count += ((size_t)got + 3) / 4;
}

/* The accept_stat of a call to NFS, whose results are put into @reply. */
static uint32_t serve_nfs(uint32_t procedure, struct record *call, struct record *reply)
{
	if (procedure == NULL_PROCEDURE)
		return SUCCESS;
	if (procedure == NFS_LOOKUP) {
		serve_lookup(call, reply);
		return SUCCESS;
	}
	uint32_t handle = take_handle(call);
	put(reply, SUCCESS);
	if (procedure == NFS_GETATTR) {
		put_attributes(reply, handle);
		return SUCCESS;
	}
	put_optional_attributes(reply, handle);
	if (procedure == NFS_ACCESS)
		put(reply, take(call)); /* all that is asked for */
	else if (procedure == NFS_READ)
		serve_read(call, reply);
	else if (procedure == NFS_FSINFO)
		put_file_system_facts(reply);
	else if (procedure == NFS_PATHCONF)
		put_path_facts(reply);
	else
		return PROCEDURE_UNAVAILABLE;
	return SUCCESS;
}

/* The same of MOUNT: any path leads to the root. */
static uint32_t serve_mount(uint32_t procedure, struct record *reply)
{
	if (procedure == MOUNT_MNT) {
		put(reply, SUCCESS);
		put_handle(reply, ROOT);
		put(reply, 1); /* auth_flavors */
		put(reply, AUTH_SYS);
	}
	return procedure == MOUNT_MNT || procedure == NULL_PROCEDURE ? SUCCESS
								     : PROCEDURE_UNAVAILABLE;
}

/* Answers a call, unless nobody may ever hear of it. */
static void serve_one(int fd, struct record *call, int silent)
{
	uint32_t unused;
	struct record reply = {.count = 1};
	put(&reply, take(call)); /* xid */
	put(&reply, REPLY);
	put(&reply, ACCEPTED);
	put(&reply, AUTH_NONE);
	put(&reply, 0); /* the length of its body */
	size_t status = reply.count++;

	take(call); /* CALL, and the version of RPC */
	take(call);
	uint32_t program = take(call);
	take(call); /* the program's version */
	uint32_t procedure = take(call);
	take(call); /* credentials and verifier, a flavor and a body each */
	take_opaque(call, &unused);
	take(call);
	take_opaque(call, &unused);
	if (silent == SILENT ||
		(silent == SILENT_ON_READS && program == PROGRAM_NFS && procedure == NFS_READ))
		return;
	uint32_t outcome = program == PROGRAM_NFS     ? serve_nfs(procedure, call, &reply)
			   : program == PROGRAM_MOUNT ? serve_mount(procedure, &reply)
						      : PROGRAM_UNAVAILABLE;
	if (outcome)
		reply.count = status + 1;
	reply.words[status] = htonl(outcome);
	size_t length = reply.count * sizeof *reply.words;
	reply.words[0] = htonl(LAST_FRAGMENT | (length - sizeof *reply.words));
	must(write(fd, reply.words, length), "answer an RPC");
}

static void serve_connection(int fd, const atomic_int *silent)
{
	static struct record call;
	for (;;) {
		uint32_t mark;
		if (recv(fd, &mark, sizeof mark, MSG_WAITALL) != sizeof mark)
			_exit(EXIT_SUCCESS);
		size_t length = ntohl(mark) & ~LAST_FRAGMENT;
		if (!(ntohl(mark) & LAST_FRAGMENT) || length > sizeof call.words ||
			recv(fd, call.words, length, MSG_WAITALL) != (ssize_t)length)
			_exit(EXIT_FAILURE);
		call.count = length / sizeof *call.words;
		call.next = 0;
		serve_one(fd, &call, atomic_load(silent));
	}
}

static void serve(int listener, const atomic_int *silent)
{
	for (;;) {
		int fd = must(accept(listener, NULL, NULL), "accept");
		if (!fork_companion())
			serve_connection(fd, silent);
		close(fd);
	}
}

/* Ends the program unless such a file system can be mounted here, in a mount namespace of its own
 * that ends with its processes. */
static void need_file_system(const char *type, const char *directory)
{
	if (!directory)
		unsupported("needs a directory");
	int context = syscall(SYS_fsopen, type, 0);
	if (context < 0)
		unsupported(type);
	close(context);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		unsupported("unshare(CLONE_NEWNS)");
}

/* A mounted file system that is about to fall silent. */
struct share {
	char path[PATH_MAX]; /* of its one file */
	int switch_file;     /* to have it silent */
	atomic_int *silent;  /* the same, mapped */
};

/* With further @options of nfs(5). */
static struct share mount_share(struct facts *facts, const char *directory, const char *options)
{
	struct share share;
	char all[300];
	int port;

	need_file_system("nfs", directory);
	int listener = listen_loopback(AF_INET, 5, &port);
	share.switch_file = make_switch();
	share.silent = map_switch(share.switch_file);
	pid_t server = fork_companion();
	if (!server)
		serve(listener, share.silent);
	close(listener);
	snprintf(all, sizeof all,
		"vers=3,proto=tcp,port=%d,addr=127.0.0.1,mountvers=3,mountproto=tcp,mountport=%d,"
		"mountaddr=127.0.0.1,nolock,hard,%s",
		port, port, options);
	must(mount("127.0.0.1:/share", directory, "nfs", MS_RDONLY, all), "mount of NFS");
	snprintf(share.path, sizeof share.path, "%s/file", directory);
	fact_number(facts, "server", server);
	fact_string(facts, "path", share.path);
	return share;
}

static void read_share(struct facts *facts, const char *directory, int flags)
{
	struct share share = mount_share(facts, directory, "");
	int fd = must(open(share.path, O_RDONLY | flags), share.path);
	fact_number(facts, "fd", fd);
	atomic_store(share.silent, SILENT_ON_READS);
	ready(facts, SYS_read);
	must(read(fd, buffer, sizeof buffer), "read");
}

static void run_read_nfs(struct facts *facts, const char *argument)
{
	read_share(facts, argument, 0);
}

static void run_read_nfs_direct(struct facts *facts, const char *argument)
{
	read_share(facts, argument, O_DIRECT);
}

static void run_stat_nfs(struct facts *facts, const char *argument)
{
	struct share share = mount_share(facts, argument, "noac"); /* each stat asks */
	struct stat status;
	atomic_store(share.silent, SILENT);
	ready(facts, SYS_newfstatat);
	must(stat(share.path, &status), "stat");
}

/*
 * A program that lies on a server which is gone, as does its root directory. Who opens it can't
 * tell: the client knows its attributes, and does not ask for them at an opening. Executed, it gets
 * the switch for @argument.
 */
static void run_exec_nfs(struct facts *facts, const char *argument)
{
	if (argument && argument[0] != '/') {
		must(chroot("."), "chroot");
		ready(facts, PAUSE_CALL);
		atomic_store(map_switch(atoi(argument)), SILENT);
		pause();
		return;
	}
	struct share share = mount_share(facts, argument, "nocto,actimeo=600");
	char switch_file[12];
	snprintf(switch_file, sizeof switch_file, "%d", share.switch_file);
	must(chdir(argument), "chdir");
	must(execl(share.path, share.path, "exec-nfs", switch_file, NULL), share.path);
}

/* The options of mount.cifs(8) that the kernel gets; it asks again after echo_interval. */
static void run_mount_smb(struct facts *facts, const char *argument)
{
	char options[200];
	int port;

	need_file_system("cifs", argument);
	int listener = listen_loopback(AF_INET, 5, &port);
	snprintf(options, sizeof options,
		"ip=127.0.0.1,port=%d,user=x,pass=x,vers=3.0,echo_interval=600", port);
	pid_t server = fork_companion();
	if (!server) {
		must(accept(listener, NULL, NULL), "accept");
		rest();
	}
	close(listener);
	fact_number(facts, "server", server);
	fact_string(facts, "path", argument);
	ready(facts, SYS_mount);
	must(mount("//127.0.0.1/share", argument, "cifs", MS_RDONLY, options), "mount of SMB");
}

const struct situation network_disk_situations[] = {
	{"read-nfs", run_read_nfs},
	{"read-nfs-direct", run_read_nfs_direct},
	{"stat-nfs", run_stat_nfs},
	{"exec-nfs", run_exec_nfs},
	{"mount-smb", run_mount_smb},
	{0},
};
