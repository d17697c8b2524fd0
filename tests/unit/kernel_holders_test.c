// SPDX-License-Identifier: Apache-2.0
/* Who ends a wait, by what the kernel knows: made-up descriptors and surroundings. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake_target.h"
#include "util/clock.h"
#include "waits/waits.h"

#define AT 0x7ffd1c2a0000 /* where the target's things stand */

static int64_t fake_clock(clockid_t clock)
{
	(void)clock;
	return 1764000000 * NS_PER_SECOND;
}

/* Answers whatever is asked by @parties, and keeps what was asked. */
struct fake_surroundings {
	struct surroundings base;
	struct parties parties;
	pid_t pid, tid, group;
	struct file_lock wanted;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	size_t name_length;
	bool listening;
	struct file_system file_system;
};

static struct parties fake_lock_holders(
	struct surroundings *surroundings, pid_t pid, const struct file_lock *wanted)
{
	struct fake_surroundings *fake = (struct fake_surroundings *)surroundings;

	fake->pid = pid;
	fake->wanted = *wanted;
	return fake->parties;
}

static struct parties fake_children(
	struct surroundings *surroundings, pid_t pid, pid_t tid, pid_t group)
{
	struct fake_surroundings *fake = (struct fake_surroundings *)surroundings;

	fake->pid = pid;
	fake->tid = tid;
	fake->group = group;
	return fake->parties;
}

static struct parties fake_unix_socket(struct surroundings *surroundings, pid_t pid,
	const char *name, size_t length, bool listening)
{
	struct fake_surroundings *fake = (struct fake_surroundings *)surroundings;

	(void)pid;
	memcpy(fake->name, name, length);
	fake->name_length = length;
	fake->listening = listening;
	return fake->parties;
}

static bool fake_file_system(struct surroundings *surroundings, pid_t pid, dev_t device,
	const char *path, struct file_system *found)
{
	const struct fake_surroundings *fake = (struct fake_surroundings *)surroundings;

	(void)pid;
	*found = fake->file_system;
	found->by_path = path;
	return path ? strcmp(path, "/srv/x") == 0 : device == fake->file_system.device;
}

static struct parties fake_fuse_servers(struct surroundings *surroundings, dev_t device)
{
	(void)device;
	return ((struct fake_surroundings *)surroundings)->parties;
}

struct scene {
	struct fake_target target;
	struct fake_surroundings surroundings;
	struct party parties[2];
};

static int set_up(void **state)
{
	struct scene *scene = allocate_zeroed(1, sizeof(*scene));

	fake_init(&scene->target);
	scene->parties[0] = (struct party){.pid = 7, .alone = true};
	scene->parties[1] = (struct party){.pid = 8, .uncertain = true};
	scene->surroundings.parties = (struct parties){scene->parties, 2, true};
	scene->surroundings.base = (struct surroundings){
		.lock_holders = fake_lock_holders,
		.children = fake_children,
		.unix_socket = fake_unix_socket,
		.file_system = fake_file_system,
		.fuse_servers = fake_fuse_servers,
	};
	scene->target.process.surroundings = &scene->surroundings.base;
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	fake_deinit(&scene->target);
	free(scene);
	return 0;
}

static struct wait *explain(
	struct scene *scene, const char *name, const uint64_t arguments[SYSCALL_ARGUMENTS])
{
	struct fake_target *target = &scene->target;
	struct waits waits = {
		.process = &target->process, .arena = target->arena, .clock = fake_clock};

	fake_call(target, name, arguments);
	struct call call = call_find(&fake_arch, syscall_row_find(name), &target->thread);
	return wait_explain(&waits, &target->thread, &call);
}

static struct descriptor *open_file(struct scene *scene, int fd)
{
	struct descriptor *descriptor =
		fake_open(&scene->target, fd, DESCRIPTOR_FILE, "/var/lock/x");

	descriptor->device = 5;
	descriptor->inode = 6;
	return descriptor;
}

static void who_has_a_flock(void **state)
{
	struct scene *scene = *state;

	open_file(scene, 3);
	struct wait *wait = explain(scene, "flock", ARGUMENTS(3, LOCK_EX));
	assert_int_equal(scene->surroundings.pid, 4242);
	assert_int_equal(scene->surroundings.wanted.kind, FILE_LOCK_FLOCK);
	assert_true(scene->surroundings.wanted.exclusive);
	assert_false(scene->surroundings.wanted.has_range);
	assert_int_equal(scene->surroundings.wanted.inode, 6);
	assert_int_equal(wait->holder_count, 2);
	assert_int_equal(wait->holders[0].pid, 7);
	assert_int_equal(wait->holders[0].sureness, SURE_OWNS);
	assert_false(wait->holders[0].uncertain);
	assert_int_equal(wait->holders[1].sureness, SURE_MAY);
	assert_true(wait->holders[1].uncertain);
	assert_string_equal(wait->holders[1].text, "holds the lock");
	assert_true(wait->holders_complete);
	scene->surroundings.parties.all = false;
	assert_false(explain(scene, "flock", ARGUMENTS(3, LOCK_SH))->holders_complete);
	assert_false(scene->surroundings.wanted.exclusive);
}

static void the_bytes_of_a_record_lock(void **state)
{
	static struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20};
	struct scene *scene = *state;
	const struct file_lock *wanted = &scene->surroundings.wanted;

	open_file(scene, 3);
	fake_place(&scene->target, AT, &lock, sizeof(lock));
	explain(scene, "fcntl", ARGUMENTS(3, F_OFD_SETLKW, AT));
	assert_int_equal(wanted->kind, FILE_LOCK_DESCRIPTION);
	assert_int_equal(wanted->fd, 3);
	assert_false(wanted->exclusive);
	assert_true(wanted->has_range);
	assert_int_equal(wanted->first, 10);
	assert_int_equal(wanted->last, 29);
	lock.l_len = 0;
	explain(scene, "fcntl", ARGUMENTS(3, F_SETLKW, AT));
	assert_int_equal(wanted->kind, FILE_LOCK_POSIX);
	assert_true(wanted->last == INT64_MAX);
	lock.l_whence = SEEK_END; /* of a length that is not known */
	explain(scene, "fcntl", ARGUMENTS(3, F_SETLKW, AT));
	assert_false(wanted->has_range);
}

static void any_child_of_a_group(void **state)
{
	struct scene *scene = *state;
	struct wait *wait = explain(scene, "wait4", ARGUMENTS((uint32_t)-1));

	assert_int_equal(wait->holder_count, 2);
	assert_true(wait->idle);
	assert_int_equal(scene->surroundings.group, 0);
	wait = explain(scene, "wait4", ARGUMENTS(0));
	assert_string_equal(wait->sentence, "waits for any child of its process group to end");
	assert_int_equal(scene->surroundings.group, OWN_GROUP);
	explain(scene, "waitid", ARGUMENTS(P_PGID, 9, 0, WEXITED));
	assert_int_equal(scene->surroundings.group, 9);
	scene->target.process.namespace_pid = 1; /* then 9 means another group here */
	wait = explain(scene, "waitid", ARGUMENTS(P_PGID, 9, 0, WEXITED));
	assert_int_equal(wait->holder_count, 0);
	wait = explain(scene, "wait4", ARGUMENTS(9));
	assert_int_equal(wait->holder_count, 0);
}

static struct sockaddr_storage internet(const char *host, unsigned port)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, host, &address.sin_addr);
	memcpy(&storage, &address, sizeof(address));
	return storage;
}

static struct descriptor *open_tcp(struct scene *scene, int fd, const char *remote, bool is_client)
{
	struct socket_facts *facts = arena_new(scene->target.arena, struct socket_facts, 1);
	struct descriptor *descriptor = fake_open(&scene->target, fd, DESCRIPTOR_SOCKET, "TCP …");

	*facts = (struct socket_facts){.family = AF_INET,
		.type = SOCK_STREAM,
		.protocol = IPPROTO_TCP,
		.protocol_name = "TCP",
		.state = TCP_ESTABLISHED,
		.local = internet("10.0.0.1", 40000),
		.remote = internet(remote, 5432),
		.is_client = is_client};
	descriptor->socket = facts;
	descriptor->inode = (ino_t)(1000 + fd);
	return descriptor;
}

static void add_peer(struct scene *scene, struct descriptor *descriptor, pid_t pid)
{
	descriptor->peers = arena_new(scene->target.arena, struct peer, 1);
	descriptor->peers[0] = (struct peer){.pid = pid, .comm = "cat", .fd = -1};
	descriptor->peer_count = 1;
}

static void another_machine(void **state)
{
	struct scene *scene = *state;
	struct descriptor *descriptor = open_tcp(scene, 3, "10.0.0.7", true);
	struct wait *wait = explain(scene, "read", ARGUMENTS(3, AT, 1));

	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 0);
	assert_true(wait->holders[0].unseen);
	assert_int_equal(wait->holders[0].sureness, SURE_MAY);
	assert_string_equal(wait->holders[0].text, "10.0.0.7:5432 (TCP)");
	assert_false(wait->holders_complete);
	descriptor->socket->remote = internet("127.0.0.1", 5432); /* nobody's, then */
	assert_int_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->holder_count, 0);
	descriptor->socket->remote = descriptor->socket->local;
	assert_int_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->holder_count, 0);
	descriptor->socket->remote = internet("10.0.0.7", 5432);
	add_peer(scene, descriptor, 7);
	wait = explain(scene, "read", ARGUMENTS(3, AT, 1));
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 7);
}

static void of_several_the_servers(void **state)
{
	static const struct pollfd fds[] = {
		{3, POLLIN, 0}, {4, POLLIN, 0}, {5, POLLIN, 0}, {6, POLLOUT, 0}};
	struct scene *scene = *state;

	add_peer(scene, open_tcp(scene, 3, "10.0.0.7", true), 7);
	add_peer(scene, open_tcp(scene, 4, "10.0.0.8", false), 8); /* its own client */
	open_tcp(scene, 5, "10.0.0.9", true);
	add_peer(scene, open_tcp(scene, 6, "10.0.0.7", true), 9); /* it does not wait for data */
	fake_place(&scene->target, AT, fds, sizeof(fds));
	struct wait *wait = explain(scene, "poll", ARGUMENTS(AT, 4, (uint32_t)-1));
	assert_true(wait->idle);
	assert_false(wait->holders_complete);
	assert_int_equal(wait->holder_count, 2);
	assert_int_equal(wait->holders[0].pid, 7);
	assert_string_equal(wait->holders[0].text,
		"may owe it an answer on TCP 10.0.0.1:40000 → 10.0.0.7:5432");
	assert_true(wait->holders[1].unseen);
	assert_string_equal(
		wait->holders[1].text, "10.0.0.9:5432 (TCP), which may owe it an answer");
}

static size_t asked;

static bool fake_is_client(struct descriptors *descriptors, ino_t inode)
{
	(void)descriptors;
	asked++;
	return inode == 1003;
}

static void of_thousands_few_are_described(void **state)
{
	enum { COUNT = 3000 };
	struct scene *scene = *state;
	struct descriptor *epoll = fake_open(&scene->target, 9, DESCRIPTOR_EPOLL, "epoll");

	epoll->watched = arena_new(scene->target.arena, struct watched, COUNT);
	epoll->watched_count = COUNT;
	for (int i = 0; i < COUNT; i++)
		epoll->watched[i] = (struct watched){1000 + i, POLLIN, 5000 + (ino_t)i};
	epoll->watched[COUNT - 1] = (struct watched){3, POLLIN, 1003};
	epoll->watched[COUNT - 2] = (struct watched){4, POLLIN, 1003}; /* another file now */
	add_peer(scene, open_tcp(scene, 3, "10.0.0.7", true), 7);
	add_peer(scene, open_tcp(scene, 4, "10.0.0.7", true), 8);
	scene->target.descriptors.is_client = fake_is_client;
	struct wait *wait = explain(scene, "epoll_wait", ARGUMENTS(9, AT, 1, (uint32_t)-1));
	assert_in_range(asked, COUNT - 100, COUNT);
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 7);
}

static void a_unix_socket_by_its_address(void **state)
{
	static const struct sockaddr_un path = {AF_UNIX, "/run/x.sock"};
	static const struct sockaddr_un abstract = {AF_UNIX, "\0name"};
	struct scene *scene = *state;
	struct socket_facts facts = {
		.family = AF_UNIX, .type = SOCK_STREAM, .protocol_name = "unix"};

	fake_open(&scene->target, 3, DESCRIPTOR_SOCKET, "unix")->socket = &facts;
	fake_place(&scene->target, AT, &path, sizeof(path));
	fake_place(&scene->target, AT + 0x1000, &abstract, sizeof(abstract));
	struct wait *wait = explain(scene, "connect", ARGUMENTS(3, AT, sizeof(path)));
	assert_int_equal(wait->holder_count, 2);
	assert_string_equal(wait->holders[0].text, "listens there");
	assert_true(scene->surroundings.listening);
	assert_string_equal(scene->surroundings.name, "/run/x.sock");
	assert_int_equal(scene->surroundings.name_length, 11);
	explain(scene, "connect", ARGUMENTS(3, AT + 0x1000, sizeof(sa_family_t) + 5));
	assert_int_equal(scene->surroundings.name_length, 5);
	assert_memory_equal(scene->surroundings.name, "\0name", 5);
	wait = explain(scene, "connect", ARGUMENTS(3, AT, 1000));
	assert_int_equal(wait->holder_count, 0);
	facts.type = SOCK_DGRAM;
	wait = explain(scene, "sendto", ARGUMENTS(3, AT, 1, 0, AT, sizeof(path)));
	assert_int_equal(wait->holder_count, 2);
	assert_false(scene->surroundings.listening);
}

/* Gives the thread a user stack of these functions of a module, the innermost first. */
static void set_stack(
	struct scene *scene, const char *module, const char *const *functions, size_t count)
{
	struct arena *arena = scene->target.arena;
	struct user_stack *stack = arena_new(arena, struct user_stack, 1);

	stack->frames = arena_new(arena, const struct frame *, count);
	stack->frame_count = count;
	for (size_t i = 0; i < count; i++) {
		struct frame *frame = arena_new(arena, struct frame, 1);

		*frame = (struct frame){.symbol = functions[i], .module = module};
		stack->frames[i] = frame;
	}
	scene->target.thread.user_stack = stack;
}

static void a_program_that_tells(void **state)
{
	static const char *const lock[] = {
		"WaitEventSetWait", "WaitLatch", "ProcSleep", NULL, "PostgresMain"};
	static const char *const checkpointer[] = {"WaitLatch", "CheckpointerMain"};
	static const char *const pacing[] = {
		"WaitLatch", "CheckpointWriteDelay", "CheckpointerMain"};
	static const char *const other[] = {"main"};
	const char *module = "/usr/lib/postgresql/15/bin/postgres";
	struct scene *scene = *state;
	struct wait *wait;

	scene->target.process.exe = module;
	set_stack(scene, module, lock, array_length(lock));
	wait = explain(scene, "epoll_wait", ARGUMENTS(9, AT, 1, (uint32_t)-1));
	assert_string_equal(wait->kind, "postgresql");
	assert_string_equal(wait->sentence,
		"waits for a lock of PostgreSQL's: its view pg_locks has who holds it");
	assert_false(wait->idle);
	set_stack(scene, module, checkpointer, array_length(checkpointer));
	wait = explain(scene, "epoll_wait", ARGUMENTS(9, AT, 1, 300000));
	assert_string_equal(wait->sentence,
		"waits for work (PostgreSQL's checkpointer), at most 5 min 0 s more");
	assert_true(wait->idle);
	set_stack(scene, module, pacing, array_length(pacing));
	wait = explain(scene, "epoll_wait", ARGUMENTS(9, AT, 1, (uint32_t)-1));
	assert_string_equal(wait->sentence,
		"waits for its latch, which another of PostgreSQL's processes sets");
	set_stack(scene, "/usr/lib/x.so", lock, array_length(lock)); /* a library's function */
	wait = explain(scene, "epoll_wait", ARGUMENTS(9, AT, 1, (uint32_t)-1));
	assert_string_equal(wait->kind, "epoll");
	set_stack(scene, module, other, array_length(other));
	wait = explain(scene, "epoll_wait", ARGUMENTS(9, AT, 1, (uint32_t)-1));
	assert_string_equal(wait->kind, "epoll");
	scene->target.process.exe = "/usr/bin/notpostgres";
	set_stack(scene, module, lock, array_length(lock));
	wait = explain(scene, "epoll_wait", ARGUMENTS(9, AT, 1, (uint32_t)-1));
	assert_string_equal(wait->kind, "epoll");
}

/* @caller of NULL: there is none. */
static void set_kernel_stack(struct scene *scene, const char *function, const char *caller)
{
	struct arena *arena = scene->target.arena;
	struct kernel_stack *stack = arena_new(arena, struct kernel_stack, 1);

	stack->count = caller ? 2 : 1;
	stack->frames = arena_new(arena, struct kernel_frame, stack->count);
	stack->frames[0].symbol = function;
	if (caller)
		stack->frames[1].symbol = caller;
	scene->target.thread.kernel_stack = stack;
}

static void a_lock_of_the_kernel(void **state)
{
	struct scene *scene = *state;
	struct thread *thread = &scene->target.thread;

	open_file(scene, 3);
	set_kernel_stack(scene, "fdget_pos", NULL);
	thread->state = 'D';
	thread->kernel_lock = (struct kernel_lock){.kind = KERNEL_LOCK_MUTEX, .pid = 7, .tid = 8};
	struct wait *wait = explain(scene, "read", ARGUMENTS(3, AT, 1));
	assert_string_equal(wait->sentence,
		"waits for a mutex in the kernel, in fdget_pos: read of /var/lock/x");
	assert_int_equal(wait->holder_count, 1);
	assert_int_equal(wait->holders[0].pid, 7);
	assert_int_equal(wait->holders[0].tid, 8);
	assert_int_equal(wait->holders[0].sureness, SURE_OWNS);
	assert_true(wait->holders_complete);
	thread->kernel_lock.kind = KERNEL_LOCK_WRITE;
	thread->kernel_lock.is_read = true;
	wait = explain(scene, "fsync", ARGUMENTS(3));
	assert_string_equal(wait->sentence,
		"waits for a read-write lock, to write, in the kernel, in fdget_pos: fsync of "
		"/var/lock/x");
	assert_int_equal(wait->holders[0].sureness, SURE_MAY);
	assert_true(wait->holders[0].uncertain);
	assert_false(wait->holders_complete);
	thread->kernel_lock.tid = 0;
	assert_int_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->holder_count, 0);
}

static void file_systems(void **state)
{
	static const char path[] = "/srv/x";
	struct scene *scene = *state;
	struct file_system *found = &scene->surroundings.file_system;

	open_file(scene, 3);
	fake_place(&scene->target, AT, path, sizeof(path));
	scene->target.thread.state = 'D';
	*found = (struct file_system){.device = 5, .type = "ext4", .disk = "/dev/vda1"};
	set_kernel_stack(scene, "jbd2_log_wait_commit", NULL);
	struct wait *wait = explain(scene, "read", ARGUMENTS(3, AT, 1));
	assert_string_equal(wait->sentence, "waits for the disk /dev/vda1: read of /var/lock/x");
	assert_int_equal(wait->holder_count, 1);
	assert_true(wait->holders[0].unseen);
	assert_string_equal(wait->holders[0].text, "/dev/vda1 (disk)");
	assert_string_equal(explain(scene, "unlink", ARGUMENTS(AT))->sentence,
		"waits for the disk: unlink of \"/srv/x\"");
	set_kernel_stack(scene, "request_wait_answer", NULL);
	assert_int_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->holder_count, 0);
	found->type = "fuse.sshfs";
	wait = explain(scene, "read", ARGUMENTS(3, AT, 1));
	assert_int_equal(wait->holder_count, 2);
	assert_false(wait->holders[0].uncertain);
	wait = explain(scene, "unlink", ARGUMENTS(AT));
	assert_int_equal(wait->holder_count, 2);
	assert_true(wait->holders[0].uncertain);
	found->type = "nfs4";
	found->server = "10.0.0.7";
	set_kernel_stack(scene, "rpc_wait_bit_killable", NULL);
	wait = explain(scene, "read", ARGUMENTS(3, AT, 1));
	assert_string_equal(
		wait->sentence, "waits for the NFS server 10.0.0.7: read of /var/lock/x");
	assert_int_equal(wait->holder_count, 1);
	assert_true(wait->holders[0].unseen);
	assert_int_equal(wait->holders[0].sureness, SURE_OWNS);
	assert_false(wait->holders[0].uncertain);
	assert_string_equal(wait->holders[0].text, "10.0.0.7 (NFS)");
	found->type = "smb3";
	set_kernel_stack(scene, "SMB2_read", NULL);
	assert_string_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->sentence,
		"waits for the SMB server 10.0.0.7: read of /var/lock/x");
	/* What is being mounted may be of another server than what it is mounted on. */
	wait = explain(scene, "mount", ARGUMENTS(AT, AT));
	assert_string_equal(wait->sentence, "waits for the SMB server: mount of \"/srv/x\"");
	assert_int_equal(wait->holder_count, 0);
}

/* The page cache's functions are the same for every file system. */
static void by_the_page_cache(void **state)
{
	static const char path[] = "/srv/x";
	struct scene *scene = *state;
	struct file_system *found = &scene->surroundings.file_system;
	struct mapping mapping = {.device = 5};

	open_file(scene, 3);
	fake_place(&scene->target, AT, path, sizeof(path));
	scene->target.thread.state = 'D';
	set_kernel_stack(scene, "folio_wait_bit_common", NULL);
	*found = (struct file_system){.device = 5, .type = "fuse.sshfs"};
	assert_string_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->kind, "fuse");
	assert_string_equal(explain(scene, "unlink", ARGUMENTS(AT))->kind, "disk"); /* a guess */
	found->type = "smb3";
	found->server = "10.0.0.7";
	assert_string_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->sentence,
		"waits for the SMB server 10.0.0.7: read of /var/lock/x");
	scene->target.process.mappings = (struct mappings){.items = &mapping, .count = 1};
	set_kernel_stack(scene, "folio_wait_bit_common", "exc_page_fault");
	assert_string_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->sentence,
		"waits for a page to be read, of a file or from swap: a page fault");
	found->type = "ext4";
	assert_string_equal(explain(scene, "read", ARGUMENTS(3, AT, 1))->sentence,
		"waits for the disk: a page fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_has_a_flock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_bytes_of_a_record_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_child_of_a_group, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_several_the_servers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_thousands_few_are_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_unix_socket_by_its_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_program_that_tells, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lock_of_the_kernel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(file_systems, set_up, tear_down),
		cmocka_unit_test_setup_teardown(by_the_page_cache, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
