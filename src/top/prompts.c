// SPDX-License-Identifier: Apache-2.0
#include "top/prompts.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/interval.h"

#define TYPED_MAX 200 /* bytes */

static bool apply_filter(struct top *top, const char *typed)
{
	text_clear(&top->filter);
	text_append(&top->filter, typed);
	top_rebuild(top);
	return true;
}

static bool apply_states(struct top *top, const char *typed)
{
	if (typed[strspn(typed, THREAD_STATES)]) {
		top_say(top, "states are letters of %s, as in DR", THREAD_STATES);
		return false;
	}
	text_clear(&top->states);
	text_append(&top->states, typed);
	top_rebuild(top);
	return true;
}

/* By /etc/passwd alone: other sources of names are libraries that a static program lacks. */
static bool find_user(const char *name, uid_t *uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;
	bool found = false;

	while (file && !found && (entry = fgetpwent(file))) {
		found = strcmp(entry->pw_name, name) == 0;
		*uid = entry->pw_uid;
	}
	if (file)
		fclose(file);
	return found;
}

static bool apply_user(struct top *top, const char *typed)
{
	struct text name cleanup_text = {0};
	uid_t uid = 0;
	char *end;

	if (*typed && typed[strspn(typed, "0123456789")] == '\0') {
		unsigned long number = strtoul(typed, &end, 10);

		uid = (uid_t)number;
		if (number != uid) {
			top_say(top, "no user id is as large as that");
			return false;
		}
	} else if (*typed && !find_user(typed, &uid)) {
		text_append_escaped(&name, typed, strlen(typed));
		top_say(top, "/etc/passwd has no user %s: the number will do", name.bytes);
		return false;
	}
	top->settings.of_one_user = *typed;
	top->settings.uid = uid;
	top_rebuild(top);
	return true;
}

static bool apply_interval(struct top *top, const char *typed)
{
	if (interval_parse(typed, &top->interval_ns))
		return true;
	top_say(top, "seconds are from 0.1 to 3600");
	return false;
}

const struct prompt_kind prompt_filter = {"only rows with: ", true, apply_filter};
const struct prompt_kind prompt_states = {
	"only threads in states (" THREAD_STATES "; none: all): ", false, apply_states};
const struct prompt_kind prompt_user = {"only processes of user (none: all): ", false, apply_user};
const struct prompt_kind prompt_interval = {"seconds between looks: ", false, apply_interval};

void prompt_open(struct top *top, const struct prompt_kind *kind, const char *typed)
{
	top->prompt = kind;
	text_clear(&top->prompt_text);
	text_append(&top->prompt_text, typed ? typed : "");
	text_clear(&top->prompt_before);
	text_append(&top->prompt_before, typed ? typed : "");
}

/* RFC 3629, section 3. */
static void append_code_point(struct text *text, uint32_t point)
{
	static const unsigned char marks[] = {[1] = 0, [2] = 0xc0, [3] = 0xe0, [4] = 0xf0};
	size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	unsigned char bytes[4];

	for (size_t i = length; i-- > 0; point >>= 6)
		bytes[i] = (unsigned char)(i ? 0x80 | (point & 0x3f) : marks[length] | point);
	text_append_bytes(text, bytes, length);
}

static void erase_last(struct text *text)
{
	while (text->length) {
		unsigned char byte = (unsigned char)text->bytes[--text->length];

		text->bytes[text->length] = '\0';
		if ((byte & 0xc0) != 0x80)
			return;
	}
}

void prompt_take_key(struct top *top, uint32_t key)
{
	const struct prompt_kind *kind = top->prompt;
	struct text *typed = &top->prompt_text;
	bool at_once = kind->at_once;

	if (key == KEY_CODE_ENTER) {
		if (kind->apply(top, typed->bytes ? typed->bytes : ""))
			top->prompt = NULL;
		return;
	}
	if (key == KEY_CODE_ESCAPE) {
		if (at_once)
			kind->apply(top, top->prompt_before.bytes ? top->prompt_before.bytes : "");
		top->prompt = NULL;
		return;
	}
	if (key == KEY_CODE_BACKSPACE || key == CONTROL('h') || key == 0x7f)
		erase_last(typed);
	else if (key == CONTROL('u'))
		text_clear(typed);
	else if (key < KEYS_BEYOND_UNICODE && !text_is_treacherous(key) &&
		 typed->length < TYPED_MAX)
		append_code_point(typed, key);
	else
		return;
	if (at_once)
		kind->apply(top, typed->bytes ? typed->bytes : "");
}
