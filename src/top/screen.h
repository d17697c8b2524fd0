// SPDX-License-Identifier: Apache-2.0
/*
 * Screen: the terminal, by way of ncurses. It knows lines, columns, styles and keys; what they
 * mean is for others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/page.h"

/* How text stands there: a style, and any of these. */
#define SCREEN_REVERSE 0x100u
#define SCREEN_STRONG 0x200u

/*
 * Takes over the terminal that standard output is, keys from @input. False where it is of a kind
 * that is not known, or cannot place text.
 */
bool screen_open(int input, bool color);

/* Gives the terminal back as it was. */
void screen_close(void);

/* Gives it back for a while, and takes it over again. */
void screen_suspend(void);
void screen_resume(void);

/* Asks the terminal for its size, and takes it for what it says. */
void screen_measure(unsigned *width, unsigned *height);

void screen_clear(void);

/*
 * Puts the @length bytes of UTF-8 at @text at @column of @line, as far as @width columns reach,
 * and without the first *@skip columns of it, by which *@skip grows less; NULL: all. How many
 * columns were taken. What a terminal would obey comes as a question mark, and where it knows no
 * UTF-8, what is not ASCII as something like it.
 */
unsigned screen_put(unsigned line, unsigned column, unsigned width, const char *text, size_t length,
	unsigned style, size_t *skip);

/* Gives all of the line a style. */
void screen_style_line(unsigned line, unsigned style);

/* Shows the cursor there, or hides it: @line beyond the screen. */
void screen_set_cursor(unsigned line, unsigned column);

/* Shows what was put since it was cleared; with @anew the whole screen is written. */
void screen_show(bool anew);

/* The next key, as in enum key_code; 0: none is there. */
uint32_t screen_key(void);
