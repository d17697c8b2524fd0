// SPDX-License-Identifier: Apache-2.0
/* What descriptors of each kind look like, on real ones in child processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>

#include "collect/descriptors.h"
#include "maker.h"
#include "util/clock.h"
#include "util/text.h"
#include "view.h"

static char folder[] = "/tmp/whystuck-test-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void make_files(int *fds, const void *argument)
{
	(void)argument;
	if (chdir(folder) < 0)
		return;
	fds[0] = open("plain", O_RDWR | O_CREAT | O_APPEND, 0600);
	if (write(fds[0], "12345", 5) != 5)
		return;
	fds[1] = open("gone", O_RDWR | O_CREAT, 0600);
	unlink("gone");
	fds[2] = open("kept (deleted)", O_RDWR | O_CREAT, 0600);
	fds[3] = open("a -> b\n\033[2J> (deleted)", O_RDWR | O_CREAT, 0600);
	unlink("a -> b\n\033[2J> (deleted)");
	fds[4] = open(".", O_RDONLY | O_DIRECTORY);
	fds[5] = memfd_create("scratch", 0);
	fds[6] = open("plain", O_PATH);
}

static void files_by_their_path(void **state)
{
	struct target target cleanup_target = target_start("files", make_files, NULL);
	struct view view cleanup_view = view_open(target.pid);
	struct text path cleanup_text = {0};
	const struct descriptor *file = find(&view, target.fds[0]);

	(void)state;
	text_append_format(&path, "%s/plain", folder);
	assert_int_equal(file->kind, DESCRIPTOR_FILE);
	assert_string_equal(file->path, path.bytes);
	assert_string_equal(file->text, path.bytes);
	assert_null(file->problem);
	assert_int_equal(file->position, 5);
	assert_true(file->flags & O_APPEND);
	assert_int_equal(file->flags & O_ACCMODE, O_RDWR);
	assert_true(file->readable && file->writable);
	assert_int_equal(find(&view, target.fds[4])->kind, DESCRIPTOR_DIRECTORY);
	assert_string_equal(find(&view, target.fds[4])->text, folder);
	assert_false(find(&view, target.fds[6])->readable);
	assert_true(find(&view, target.fds[6])->flags & O_PATH);
	unlink(path.bytes);
	assert_ptr_equal(find(&view, target.fds[0]), file); /* one look, one story */
}

static void deleted_files_and_names_that_lie(void **state)
{
	struct target target cleanup_target = target_start("files", make_files, NULL);
	struct view view cleanup_view = view_open(target.pid);
	struct text path cleanup_text = {0};
	const struct descriptor *file = find(&view, target.fds[1]);

	(void)state;
	text_append_format(&path, "%s/gone", folder);
	assert_true(file->deleted);
	assert_string_equal(file->path, path.bytes);
	text_append(&path, " (deleted)");
	assert_string_equal(file->text, path.bytes);

	file = find(&view, target.fds[2]);
	text_clear(&path);
	text_append_format(&path, "%s/kept (deleted)", folder);
	assert_false(file->deleted);
	assert_string_equal(file->path, path.bytes);
	unlink(path.bytes);

	file = find(&view, target.fds[3]);
	text_clear(&path);
	text_append_format(&path, "%s/a -> b\\n\\x1b[2J> (deleted) (deleted)", folder);
	assert_true(file->deleted);
	assert_string_equal(file->text, path.bytes);

	assert_string_equal(find(&view, target.fds[5])->text, "memfd:scratch");
	text_clear(&path);
	text_append_format(&path, "%s/plain", folder);
	unlink(path.bytes);
}

static void make_pipe(int *fds, const void *argument)
{
	(void)argument;
	if (pipe(fds) < 0)
		fds[0] = -1;
}

static void keep_one_end(int *fds, const void *argument)
{
	const int *ends = argument;

	close(ends[0]);
	fds[0] = ends[1];
}

static void pipe_between_two_processes(void **state)
{
	int ends[2];

	(void)state;
	assert_return_code(pipe(ends), errno);
	struct target reader cleanup_target =
		target_start("re\nader", keep_one_end, (int[]){ends[1], ends[0]});
	struct target writer cleanup_target =
		target_start("writer", keep_one_end, (int[]){ends[0], ends[1]});
	struct view view cleanup_view = view_open(reader.pid);
	struct view other cleanup_view = view_open(writer.pid);
	struct text text cleanup_text = {0};
	const struct descriptor *descriptor = find(&view, ends[0]);

	assert_int_equal(descriptor->kind, DESCRIPTOR_PIPE);
	assert_int_equal(descriptor->peer_count, 1);
	assert_int_equal(descriptor->peers[0].pid, writer.pid);
	assert_int_equal(descriptor->peers[0].fd, ends[1]);
	assert_int_equal(descriptor->peers_partial, geteuid() != 0);
	text_append_format(&text, "%s ← writer (pid %d)", descriptor->path, writer.pid);
	assert_string_equal(descriptor->text, text.bytes);

	descriptor = find(&other, ends[1]);
	text_clear(&text);
	text_append_format(&text, "%s → re\\nader (pid %d)", descriptor->path, reader.pid);
	assert_string_equal(descriptor->text, text.bytes);
	close(ends[0]);
	close(ends[1]);
}

static void pipe_to_itself(void **state)
{
	struct target target cleanup_target = target_start("own", make_pipe, NULL);
	struct view view cleanup_view = view_open(target.pid);
	const struct descriptor *descriptor = find(&view, target.fds[0]);

	(void)state;
	assert_int_equal(descriptor->peer_count, 1);
	assert_int_equal(descriptor->peers[0].pid, target.pid);
	assert_int_equal(descriptor->peers[0].fd, target.fds[1]);
}

static void make_fifo(int *fds, const void *path)
{
	mkfifo(path, 0600);
	fds[0] = open(path, O_RDWR);
	fds[1] = open(path, O_RDONLY | O_NONBLOCK);
	fds[2] = open(path, O_PATH);
}

static void fifo_is_named_and_never_opened(void **state)
{
	struct text path cleanup_text = {0};

	(void)state;
	text_append_format(&path, "%s/fifo", folder);
	struct target target cleanup_target = target_start("fifo", make_fifo, path.bytes);
	struct view view cleanup_view = view_open(target.pid);
	struct text text cleanup_text = {0};
	const struct descriptor *descriptor = find(&view, target.fds[1]);

	text_append_format(&text, "FIFO %s ← fifo (pid %d)", path.bytes, target.pid);
	assert_int_equal(descriptor->kind, DESCRIPTOR_FIFO);
	assert_string_equal(descriptor->text, text.bytes);
	assert_int_equal(find(&view, target.fds[2])->peer_count, 0);
	unlink(path.bytes);
}

static void make_events(int *fds, const void *argument)
{
	struct itimerspec once = {.it_value.tv_sec = 100}, never = {0};
	struct itimerspec often = {.it_value.tv_sec = 50, .it_interval.tv_sec = 5};
	sigset_t signals;

	(void)argument;
	fds[0] = eventfd(7, 0);
	fds[1] = timerfd_create(CLOCK_MONOTONIC, 0);
	timerfd_settime(fds[1], 0, &once, NULL);
	fds[2] = timerfd_create(CLOCK_REALTIME, 0);
	timerfd_settime(fds[2], 0, &never, NULL);
	fds[3] = timerfd_create(CLOCK_BOOTTIME, 0);
	timerfd_settime(fds[3], 0, &often, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	fds[4] = signalfd(-1, &signals, 0);
	fds[5] = inotify_init();
	fds[6] = epoll_create1(0);
	for (int i = 0; i < 2; i++)
		epoll_ctl(fds[6], EPOLL_CTL_ADD, fds[i],
			&(struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]});
	fds[7] = (int)syscall(SYS_pidfd_open, getppid(), 0);
}

static void expect_timer(const struct descriptor *timer, int64_t most_ns, const char *ending)
{
	struct text text cleanup_text = {0};

	assert_int_equal(timer->kind, DESCRIPTOR_TIMERFD);
	assert_in_range(timer->expires_ns, most_ns - 20 * NS_PER_SECOND, most_ns);
	text_append(&text, "timerfd, fires in ");
	text_append_duration(&text, timer->expires_ns);
	text_append(&text, ending);
	assert_string_equal(timer->text, text.bytes);
}

static void anonymous_files(void **state)
{
	struct target target cleanup_target = target_start("events", make_events, NULL);
	struct view view cleanup_view = view_open(target.pid);
	struct text text cleanup_text = {0};
	const struct descriptor *descriptor = find(&view, target.fds[0]);
	char name[17] = "";

	(void)state;
	assert_int_equal(descriptor->kind, DESCRIPTOR_EVENTFD);
	assert_int_equal(descriptor->counter, 7);
	assert_string_equal(descriptor->text, "eventfd 7");
	expect_timer(find(&view, target.fds[1]), 100 * NS_PER_SECOND, "");
	assert_int_equal(find(&view, target.fds[1])->clock, CLOCK_MONOTONIC);
	assert_int_equal(find(&view, target.fds[2])->expires_ns, -1);
	assert_string_equal(find(&view, target.fds[2])->text, "timerfd, disarmed");
	expect_timer(find(&view, target.fds[3]), 50 * NS_PER_SECOND, ", every 5.0 s");
	assert_int_equal(find(&view, target.fds[3])->clock, CLOCK_BOOTTIME);
	assert_string_equal(find(&view, target.fds[4])->text, "signalfd INT TERM");
	assert_int_equal(find(&view, target.fds[5])->kind, DESCRIPTOR_INOTIFY);
	assert_string_equal(find(&view, target.fds[5])->text, "inotify");

	descriptor = find(&view, target.fds[6]);
	assert_string_equal(descriptor->text, "epoll of 2 descriptors");
	assert_int_equal(descriptor->watched_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(descriptor->watched[i].fd == target.fds[0] ||
			    descriptor->watched[i].fd == target.fds[1]);

	descriptor = find(&view, target.fds[7]);
	assert_int_equal(descriptor->kind, DESCRIPTOR_PIDFD);
	assert_int_equal(descriptor->pid, getpid());
	prctl(PR_GET_NAME, name);
	text_append_format(&text, "pidfd of %d (%s)", getpid(), name);
	assert_string_equal(descriptor->text, text.bytes);
}

static void make_fired_timer(int *fds, const void *argument)
{
	struct itimerspec soon = {.it_value.tv_nsec = 1};
	struct epoll_event event = {.events = EPOLLIN};
	pid_t child = fork();

	(void)argument;
	if (child == 0)
		_exit(0);
	fds[1] = (int)syscall(SYS_pidfd_open, child, 0);
	waitpid(child, NULL, 0);
	fds[0] = timerfd_create(CLOCK_MONOTONIC, 0);
	fds[2] = epoll_create1(0);
	epoll_ctl(fds[2], EPOLL_CTL_ADD, fds[0], &event);
	timerfd_settime(fds[0], 0, &soon, NULL);
	epoll_wait(fds[2], &event, 1, -1);
}

static void what_has_happened_already(void **state)
{
	struct target target cleanup_target = target_start("past", make_fired_timer, NULL);
	struct view view cleanup_view = view_open(target.pid);

	(void)state;
	assert_string_equal(find(&view, target.fds[0])->text, "timerfd, has fired");
	assert_int_equal(find(&view, target.fds[0])->ticks, 1);
	assert_string_equal(find(&view, target.fds[1])->text, "pidfd of a process that has ended");
	assert_string_equal(find(&view, target.fds[2])->text, "epoll of 1 descriptor");
}

static void make_devices(int *fds, const void *argument)
{
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 8};

	(void)argument;
	fds[0] = open("/dev/null", O_RDONLY);
	fds[1] = posix_openpt(O_RDWR | O_NOCTTY);
	fds[2] = -1;
	if (grantpt(fds[1]) == 0 && unlockpt(fds[1]) == 0)
		fds[2] = open(ptsname(fds[1]), O_RDWR | O_NOCTTY);
	fds[3] = mq_open("/whystuck-test", O_RDONLY | O_CREAT, 0600, &attributes);
	mq_unlink("/whystuck-test");
	fds[4] = mq_open("/whystuck-test-2", O_RDONLY | O_CREAT, 0600, &attributes);
	fds[5] = open(argument, O_RDONLY);
}

static void devices_and_queues(void **state)
{
	struct text path cleanup_text = {0};

	(void)state;
	text_append_format(&path, "%s/node", folder);
	bool node = mknod(path.bytes, S_IFCHR | 0600, makedev(1, 3)) == 0;
	struct target target cleanup_target = target_start("devices", make_devices, path.bytes);
	struct view view cleanup_view = view_open(target.pid);
	const struct descriptor *descriptor = find(&view, target.fds[0]);

	assert_int_equal(descriptor->kind, DESCRIPTOR_CHARACTER_DEVICE);
	assert_int_equal(descriptor->represents, makedev(1, 3));
	assert_string_equal(descriptor->text, "/dev/null");
	assert_int_equal(find(&view, target.fds[1])->kind, DESCRIPTOR_TTY);
	descriptor = find(&view, target.fds[2]);
	assert_int_equal(descriptor->kind, DESCRIPTOR_TTY);
	assert_memory_equal(descriptor->text, "/dev/pts/", strlen("/dev/pts/"));
	if (target.fds[4] >= 0) {
		descriptor = find(&view, target.fds[4]);
		mq_unlink("/whystuck-test-2");
		assert_int_equal(descriptor->kind, DESCRIPTOR_MESSAGE_QUEUE);
		assert_string_equal(descriptor->text, "message queue /whystuck-test-2");
		assert_string_equal(
			find(&view, target.fds[3])->text, "message queue /whystuck-test (deleted)");
	} else {
		print_message("no POSIX message queues here\n");
	}
	if (node && target.fds[5] >= 0) {
		descriptor = find(&view, target.fds[5]);
		unlink(path.bytes);
		text_append(&path, " (character device 1:3)");
		assert_string_equal(descriptor->text, path.bytes);
	} else {
		print_message("device nodes can't be made here\n");
	}
}

static void make_many(int *fds, const void *argument)
{
	const int *count = argument;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	fds[0] = eventfd(0, 0);
	for (fds[1] = 1; fds[1] < *count; fds[1]++) {
		if (dup(fds[0]) < 0)
			break;
	}
}

static void ten_thousand_descriptors(void **state)
{
	struct target target cleanup_target = target_start("many", make_many, &(int){10000});
	struct view view cleanup_view = view_open(target.pid);
	const int *fds;
	int64_t start = clock_ns(CLOCK_MONOTONIC);
	size_t count = view.descriptors->list(view.descriptors, &fds);

	(void)state;
	assert_true(count >= (size_t)target.fds[1]);
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || fds[i] > fds[i - 1]);
		find(&view, fds[i]);
	}
	print_message("%zu descriptors in %.1f ms\n", count,
		(double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e6);
}

static void not_open(void **state)
{
	struct target target cleanup_target = target_start("none", make_pipe, NULL);
	struct view view cleanup_view = view_open(target.pid);
	struct descriptors *descriptors = view.descriptors;

	(void)state;
	assert_null(descriptors->find(descriptors, -1));
	assert_null(descriptors->find(descriptors, 1000));
	assert_null(descriptors->find(descriptors, INT32_MAX));
}

static void process_that_ended(void **state)
{
	struct target target = target_start("ended", make_pipe, NULL);
	struct view before cleanup_view = view_open(target.pid);
	const int *fds;

	(void)state;
	target_end(&target);
	struct view after cleanup_view = view_open(target.pid);
	assert_null(before.descriptors->find(before.descriptors, target.fds[0]));
	assert_null(after.descriptors->find(after.descriptors, target.fds[0]));
	assert_int_equal(after.descriptors->list(after.descriptors, &fds), 0);
}

static void *tell_when_main_is_gone(void *argument)
{
	int *report = argument;
	char path[64], state = 0;

	do {
		char line[256];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
		file = fopen(path, "r");
		if (file && fgets(line, sizeof(line), file))
			state = strrchr(line, ')')[2];
		if (file)
			fclose(file);
	} while (state != 'Z');
	if (write(*report, "z", 1) < 0)
		_exit(1);
	for (;;)
		pause();
}

static void main_thread_that_ended_before_the_others(void **state)
{
	int ends[2], fd = eventfd(5, 0);
	char byte;

	(void)state;
	assert_return_code(pipe(ends), errno);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_create(&thread, NULL, tell_when_main_is_gone, &ends[1]);
		pthread_exit(NULL);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	struct target target cleanup_target = {.pid = pid};
	struct view view cleanup_view = view_open(pid);
	assert_string_equal(find(&view, fd)->text, "eventfd 5");
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void without_permission(void **state)
{
	struct target target cleanup_target = target_start("private", make_pipe, NULL);
	int status;

	(void)state;
	if (geteuid() != 0) {
		print_message("not root: nothing to give up\n");
		skip();
	}
	pid_t pid = fork();
	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		struct view view = view_open(target.pid);
		const struct descriptor *descriptor =
			view.descriptors->find(view.descriptors, target.fds[0]);
		bool right = descriptor && descriptor->kind == DESCRIPTOR_UNKNOWN &&
			     descriptor->problem && strstr(descriptor->problem, "CAP_SYS_PTRACE") &&
			     strcmp(descriptor->text, "?") == 0;

		view_close(&view);
		_exit(right ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_by_their_path),
		cmocka_unit_test(deleted_files_and_names_that_lie),
		cmocka_unit_test(pipe_between_two_processes),
		cmocka_unit_test(pipe_to_itself),
		cmocka_unit_test(fifo_is_named_and_never_opened),
		cmocka_unit_test(anonymous_files),
		cmocka_unit_test(what_has_happened_already),
		cmocka_unit_test(devices_and_queues),
		cmocka_unit_test(ten_thousand_descriptors),
		cmocka_unit_test(not_open),
		cmocka_unit_test(process_that_ended),
		cmocka_unit_test(main_thread_that_ended_before_the_others),
		cmocka_unit_test(without_permission),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
