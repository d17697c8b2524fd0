// SPDX-License-Identifier: Apache-2.0
/*
 * Terminal: gives it back as it was, where the program ends in a way that was not planned: a crash,
 * or no memory left. It stands apart from screen.c for the names that <term.h> defines.
 */
#pragma once

#include <stdbool.h>

/* Remembers how the terminal is now. */
void terminal_remember(int terminal);

/* Whether it is of a kind that is known, and on which text can be placed anywhere. */
bool terminal_can_place(int terminal);

/* Restores it from now on where the program crashes; what it is told is asked from ncurses, which
 * must have begun. */
void terminal_expect_crash(void);

/* No more: it has been given back. */
void terminal_forget(void);
