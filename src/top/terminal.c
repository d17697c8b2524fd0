// SPDX-License-Identifier: Apache-2.0
#include "top/terminal.h"

#include <curses.h>
#include <signal.h>
#include <stdatomic.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "util/memory.h"

static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

/* What a signal's handler needs. */
static struct {
	int terminal;
	bool has_modes;
	struct termios modes;
	char farewell[256]; /* by which the terminal leaves the full screen */
	size_t length;
	struct sigaction before[array_length(crashes)];
	atomic_bool is_needed;
} memory;

static void restore(void)
{
	if (!atomic_exchange(&memory.is_needed, false))
		return;
	if (write(memory.terminal, memory.farewell, memory.length) < 0) {
		/* nobody is left to tell */
	}
	if (memory.has_modes)
		tcsetattr(memory.terminal, TCSANOW, &memory.modes);
}

/* Whatever the signal did before, it does now: it comes again when the handler returns. */
static void on_crash(int number)
{
	restore();
	for (size_t i = 0; i < array_length(crashes); i++) {
		if (crashes[i] == number)
			sigaction(number, &memory.before[i], NULL);
	}
	raise(number);
}

static int remember_byte(int byte)
{
	if (memory.length < sizeof(memory.farewell))
		memory.farewell[memory.length++] = (char)byte;
	return byte;
}

static void remember_string(const char *string)
{
	if (string)
		tputs(string, 1, remember_byte);
}

void terminal_remember(int terminal)
{
	memory.terminal = terminal;
	memory.has_modes = tcgetattr(terminal, &memory.modes) == 0;
}

bool terminal_can_place(int terminal)
{
	int outcome;
	bool can;

	if (setupterm(NULL, terminal, &outcome) != OK)
		return false;
	can = cursor_address;
	del_curterm(cur_term);
	return can;
}

void terminal_expect_crash(void)
{
	struct sigaction action = {.sa_handler = on_crash};

	memory.length = 0;
	remember_string(exit_attribute_mode);
	remember_string(cursor_normal);
	remember_string(keypad_local);
	remember_string(exit_ca_mode);
	atomic_store(&memory.is_needed, true);
	memory_at_exhaustion(restore);
	for (size_t i = 0; i < array_length(crashes); i++)
		sigaction(crashes[i], &action, &memory.before[i]);
}

void terminal_forget(void)
{
	atomic_store(&memory.is_needed, false);
}
