// SPDX-License-Identifier: Apache-2.0
/*
 * Stacks: a program that blocks or traps in many ways, and tells what its stack is by what its
 * functions know themselves: each writes the address it returns to. Compiled by unwind_live_test in
 * many ways, for several C libraries.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static volatile int after_call; /* written after a call, so that it is no tail call */
static void (*volatile innermost)(void);
static void *returns[4096];
static size_t return_count;

/* To be called first thing in each function of the chain. */
#define ENTER() (returns[return_count++] = __builtin_return_address(0))

/* Writes the addresses, innermost first, and a last line; then stays until it is killed. */
static void report_and_block(void)
{
	for (size_t i = return_count; i-- > 0;)
		printf("%lx\n", (unsigned long)returns[i]);
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}

NOINLINE static void third(int depth)
{
	char buffer[256];

	ENTER();
	memset(buffer, depth, sizeof(buffer));
	innermost();
	after_call = buffer[depth & 127];
}

NOINLINE static void second(int depth)
{
	volatile char *space = __builtin_alloca((size_t)depth * 16 + 16);

	ENTER();
	space[0] = 1;
	third(depth);
	after_call = space[0];
}

NOINLINE static void first(int depth)
{
	ENTER();
	if (depth > 1)
		first(depth - 1);
	else
		second(depth);
	after_call++;
}

static void on_signal(int number)
{
	ENTER();
	(void)number;
	report_and_block();
	after_call++;
}

static void raise_signal(void)
{
	static char stack[1 << 16];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

	ENTER();
	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	kill(getpid(), SIGUSR1);
	after_call++;
}

static void call_nothing(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	void (*volatile nothing)(void) = NULL;

	ENTER();
	sigaction(SIGSEGV, &action, NULL);
	nothing();
	after_call++;
}

/* Code made at run time: it keeps a frame pointer and calls what rdi says. */
static void call_generated_code(void)
{
	static const unsigned char code[] = {
		0x55,                   /* push %rbp */
		0x48, 0x89, 0xe5,       /* mov %rsp,%rbp */
		0x53,                   /* push %rbx */
		0x48, 0x83, 0xec, 0x18, /* sub $24,%rsp */
		0xff, 0xd7,             /* call *%rdi */
		0x48, 0x8b, 0x5d, 0xf8, /* mov -8(%rbp),%rbx */
		0xc9, 0xc3,             /* leave; ret */
	};
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ENTER();
	memcpy(memory, code, sizeof(code));
	mprotect(memory, 4096, PROT_READ | PROT_EXEC);
	returns[return_count++] = NULL; /* where in here it returns to is not known here */
	returns[return_count++] = (char *)memory + 11;
	((void (*)(void (*)(void)))memory)(report_and_block);
	after_call++;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Between two traps, for a tracer that steps from one to the other. */
static void step_vdso(void)
{
	struct timespec now;

	__asm__ volatile("int3");
	clock_gettime(CLOCK_MONOTONIC, &now);
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	time(NULL);
	__asm__ volatile("int3");
}

static void step_library(void)
{
	char text[128];
	int numbers[] = {5, 3, 9, 1, 7, 2, 8, 6};
	char *copy;

	__asm__ volatile("int3");
	qsort(numbers, sizeof(numbers) / sizeof(numbers[0]), sizeof(numbers[0]), compare);
	snprintf(text, sizeof(text), "%s %d %g", "text", numbers[0], 3.25);
	copy = strdup(text);
	after_call = (int)strlen(copy) + getppid();
	free(copy);
	after_call += atoi("12") + (int)strtol("77", NULL, 8);
	__asm__ volatile("int3");
}

static void step_signal(void)
{
	__asm__ volatile("int3");
	raise(SIGWINCH);
	__asm__ volatile("int3");
}

static void *run_thread(void *argument)
{
	(void)argument;
	ENTER();
	first(3);
	return NULL;
}

static const struct mode {
	const char *name;
	void (*run)(void);
	int depth;
	int traced;
} modes[] = {
	{"block", report_and_block, 5, 0},
	{"deep", report_and_block, 1000, 0},
	{"signal", raise_signal, 2, 0},
	{"null-call", call_nothing, 2, 0},
	{"jit", call_generated_code, 2, 0},
	{"thread", report_and_block, 0, 0},
	{"step-vdso", step_vdso, 2, 1},
	{"step-library", step_library, 2, 1},
	{"step-signal", step_signal, 2, 1},
};

int main(int argc, char **argv)
{
	pthread_t thread;

	ENTER();
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		innermost = modes[i].run;
		if (modes[i].traced)
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		if (modes[i].depth) {
			first(modes[i].depth);
		} else {
			return_count = 0;
			pthread_create(&thread, NULL, run_thread, NULL);
			pthread_join(thread, NULL);
		}
		return 0;
	}
	return 2;
}
