// SPDX-License-Identifier: Apache-2.0
/* Processes that mislead whoever looks at them. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "situations.h"

#define PAGE 4096

static void *pages(size_t count, int protection)
{
	void *start = mmap(NULL, count * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		unsupported("mmap");
	return start;
}

/* A name that would turn a terminal red, end the line and break a JSON string. */
static void run_comm_escapes(struct facts *facts, const char *argument)
{
	(void)argument;
	must(prctl(PR_SET_NAME, "\033[31m\n\"\\\377\t"), "PR_SET_NAME");
	ready(facts, PAUSE_CALL);
	pause();
}

/* A name that would end a script, and what is after it be markup. */
static void run_comm_markup(struct facts *facts, const char *argument)
{
	(void)argument;
	must(prctl(PR_SET_NAME, "]]></script>&\"'"), "PR_SET_NAME");
	ready(facts, PAUSE_CALL);
	pause();
}

/* What the page @gone holds is gone, and who reads it waits for a handler that never comes. Other
 * pages of the @count from @start on, which it is one of, stay as they are. */
static void make_unreadable(void *start, size_t count, void *gone)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
		unsupported("userfaultfd");
	struct uffdio_register area = {
		.range = {.start = (uintptr_t)start, .len = count * PAGE},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	must(ioctl(fd, UFFDIO_REGISTER, &area), "UFFDIO_REGISTER");
	must(madvise(gone, PAGE, MADV_DONTNEED), "madvise");
}

struct scene {
	struct facts *facts;
	void *page;
};

static void *snare(void *data)
{
	struct scene *scene = data;
	await_syscall(getpid(), POLL_CALL);
	make_unreadable(scene->page, 1, scene->page);
	ready_other(scene->facts, getpid(), getpid(), POLL_CALL);
	rest();
}

/* The array that poll() was given can no longer be read, by anybody, nor does reading it fail. */
static void run_userfault(struct facts *facts, const char *argument)
{
	(void)argument;
	struct scene scene = {facts, pages(1, PROT_READ | PROT_WRITE)};
	struct pollfd *fds = scene.page;
	int ends[2];
	must(pipe(ends), "pipe");
	fds[0] = (struct pollfd){ends[0], POLLIN, 0};
	fact_address(facts, "address", fds);
	start_thread(snare, &scene);
	must(poll(fds, 1, -1), "poll");
}

#define STACK_PAGES 64

static void *sleep_above_hole(void *data)
{
	struct scene *scene = data;
	char hole[4 * PAGE];
	memset(hole, 1, sizeof hole);
	make_unreadable(scene->page, STACK_PAGES,
		(void *)(((uintptr_t)hole + 2 * PAGE) & -(uintptr_t)PAGE));
	ready_other(scene->facts, getpid(), gettid(), PAUSE_CALL);
	rest();
}

/* A stack with a page that is gone, between where its thread sleeps and where that came from. */
static void run_userfault_stack(struct facts *facts, const char *argument)
{
	(void)argument;
	struct scene scene = {facts, pages(STACK_PAGES, PROT_READ | PROT_WRITE)};
	pthread_attr_t attributes;
	pthread_t thread;
	memset(scene.page, 1, STACK_PAGES * PAGE);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, scene.page, STACK_PAGES * PAGE);
	must(-pthread_create(&thread, &attributes, sleep_above_hole, &scene), "pthread_create");
	pthread_join(thread, NULL);
}

#define MANY 15000

/* More descriptors than a line should have. */
static void run_poll_many(struct facts *facts, const char *argument)
{
	(void)argument;
	struct rlimit limit;
	must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	if (limit.rlim_max < MANY)
		unsupported("RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	static struct pollfd fds[MANY];
	int ends[2];
	must(pipe(ends), "pipe");
	for (int i = 0; i < MANY; i++)
		fds[i] = (struct pollfd){ends[0], POLLIN, 0};
	fact_number(facts, "fd", ends[0]);
	ready(facts, POLL_CALL);
	must(poll(fds, MANY, -1), "poll");
}

#ifdef __x86_64__

/*
 * Machine code that no file has: a function with a frame pointer that calls pause(), by itself
 * as a just-in-time compiler would make it.
 */
static const unsigned char jit_code[] = {
	0x55,                     /* push %rbp */
	0x48, 0x89, 0xe5,         /* mov %rsp, %rbp */
	0xb8, SYS_pause, 0, 0, 0, /* mov $SYS_pause, %eax */
	0x0f, 0x05,               /* syscall */
	0x5d,                     /* pop %rbp */
	0xc3,                     /* ret */
};

static void (*load_code(const unsigned char *code, size_t size))(void)
{
	void *page = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy(page, code, size);
	return (void (*)(void))page;
}

static void run_jit(struct facts *facts, const char *argument)
{
	(void)argument;
	void (*function)(void) = load_code(jit_code, sizeof jit_code);
	char path[64];
	snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
	FILE *map = fopen(path, "w");
	if (!map)
		unsupported(path);
	fprintf(map, "%lx %zx jitted function\n", (unsigned long)function, sizeof jit_code);
	fclose(map);
	fact_string(facts, "map", path);
	fact_address(facts, "address", (void *)function);
	ready(facts, PAUSE_CALL);
	function();
}

/* A frame whose caller is itself, by its frame pointer and by its return address. */
static const unsigned char cycle_code[] = {
	0x55,                         /* push %rbp */
	0x48, 0x89, 0xe5,             /* mov %rsp, %rbp */
	0x48, 0x89, 0x6d, 0x00,       /* mov %rbp, 0(%rbp) */
	0x48, 0x8d, 0x05, 0, 0, 0, 0, /* lea 0(%rip), %rax */
	0x48, 0x89, 0x45, 0x08,       /* mov %rax, 8(%rbp) */
	0xb8, SYS_pause, 0, 0, 0,     /* mov $SYS_pause, %eax */
	0x0f, 0x05,                   /* syscall */
};

static void run_frame_cycle(struct facts *facts, const char *argument)
{
	(void)argument;
	void (*function)(void) = load_code(cycle_code, sizeof cycle_code);
	fact_address(facts, "address", (void *)function);
	ready(facts, PAUSE_CALL);
	function();
}

/* A stack pointer at which there is no memory. */
static const unsigned char wild_code[] = {
	0x48, 0xc7, 0xc4, 0x08, 0, 0, 0, /* mov $8, %rsp */
	0x48, 0xc7, 0xc5, 0x08, 0, 0, 0, /* mov $8, %rbp */
	0xb8, SYS_pause, 0, 0, 0,        /* mov $SYS_pause, %eax */
	0x0f, 0x05,                      /* syscall */
};

static void run_wild_stack(struct facts *facts, const char *argument)
{
	(void)argument;
	void (*function)(void) = load_code(wild_code, sizeof wild_code);
	fact_address(facts, "address", (void *)function);
	ready(facts, PAUSE_CALL);
	function();
}

#endif

const struct situation hostile_situations[] = {
	{"comm-escapes", run_comm_escapes},
	{"comm-markup", run_comm_markup},
	{"userfault", run_userfault},
	{"userfault-stack", run_userfault_stack},
	{"poll-many", run_poll_many},
#ifdef __x86_64__
	{"jit", run_jit},
	{"frame-cycle", run_frame_cycle},
	{"wild-stack", run_wild_stack},
#endif
	{0},
};
