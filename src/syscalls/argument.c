// SPDX-License-Identifier: Apache-2.0
/* Arguments that say all by themselves: numbers, flags, choices; and strings. */
#include "syscalls/argument.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/ioctl.h>
#include <string.h>

#include "util/memory.h"
#include "util/signals.h"

const char *name_of(uint64_t value, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->items[i].value == value)
			return names->items[i].name;
	}
	return NULL;
}

void append_flags(struct text *text, uint64_t value, const struct names *names)
{
	const char *separator = "";

	for (size_t i = 0; i < names->count; i++) {
		uint64_t bits = names->items[i].value;

		if (!bits || (value & bits) != bits)
			continue;
		text_append_format(text, "%s%s", separator, names->items[i].name);
		separator = "|";
		value &= ~bits;
	}
	if (value)
		text_append_format(text, "%s0x%llx", separator, (unsigned long long)value);
	else if (!*separator)
		text_append(text, "0");
}

static bool append_flags_argument(const struct argument *argument, struct text *text)
{
	append_flags(text, (uint32_t)argument->value, argument->detail);
	return true;
}

static bool append_choice(const struct argument *argument, struct text *text)
{
	const char *name = name_of((uint64_t)(int)argument->value, argument->detail);

	if (name)
		text_append(text, name);
	return name;
}

static bool append_signal(const struct argument *argument, struct text *text)
{
	int number = (int)argument->value;

	if (number <= 0 || number > 64)
		return false;
	text_append(text, "SIG");
	text_append_signal(text, number);
	return true;
}

static bool append_pointer(const struct argument *argument, struct text *text)
{
	if (argument->value)
		return false;
	text_append(text, "NULL");
	return true;
}

static bool append_open_flags(const struct argument *argument, struct text *text)
{
	/* Those of several bits stand first: O_SYNC holds O_DSYNC's bit, O_TMPFILE O_DIRECTORY's.
	 */
	static const struct name items[] = {
		NAME(O_SYNC),
		NAME(O_TMPFILE),
		NAME(O_DSYNC),
		NAME(O_DIRECTORY),
		NAME(O_CREAT),
		NAME(O_EXCL),
		NAME(O_NOCTTY),
		NAME(O_TRUNC),
		NAME(O_APPEND),
		NAME(O_NONBLOCK),
		NAME(O_ASYNC),
		NAME(O_DIRECT),
		NAME(O_NOFOLLOW),
		NAME(O_NOATIME),
		NAME(O_CLOEXEC),
		NAME(O_PATH),
	};
	static const struct names flags = NAMES(items);
	uint32_t value = (uint32_t)argument->value;
	uint32_t access = value & O_ACCMODE;

	text_append(text, access == O_RDONLY   ? "O_RDONLY"
			  : access == O_WRONLY ? "O_WRONLY"
			  : access == O_RDWR   ? "O_RDWR"
					       : "O_ACCMODE");
	if (value & ~(uint32_t)O_ACCMODE) {
		text_append(text, "|");
		append_flags(text, value & ~(uint32_t)O_ACCMODE, &flags);
	}
	return true;
}

static bool append_futex_operation(const struct argument *argument, struct text *text)
{
	static const struct name items[] = {
		NAME(FUTEX_WAIT),
		NAME(FUTEX_WAKE),
		NAME(FUTEX_FD),
		NAME(FUTEX_REQUEUE),
		NAME(FUTEX_CMP_REQUEUE),
		NAME(FUTEX_WAKE_OP),
		NAME(FUTEX_LOCK_PI),
		NAME(FUTEX_UNLOCK_PI),
		NAME(FUTEX_TRYLOCK_PI),
		NAME(FUTEX_WAIT_BITSET),
		NAME(FUTEX_WAKE_BITSET),
		NAME(FUTEX_WAIT_REQUEUE_PI),
		NAME(FUTEX_CMP_REQUEUE_PI),
		NAME(FUTEX_LOCK_PI2),
	};
	static const struct names operations = NAMES(items);
	uint32_t value = (uint32_t)argument->value;
	const char *name = name_of(value & (uint32_t)FUTEX_CMD_MASK, &operations);

	if (!name)
		return false;
	text_append_format(text, "%s%s%s", name, value & FUTEX_PRIVATE_FLAG ? "_PRIVATE" : "",
		value & FUTEX_CLOCK_REALTIME ? "|FUTEX_CLOCK_REALTIME" : "");
	return true;
}

/* In the words of <linux/ioctl.h>, which build every request since the first ones. */
static bool append_ioctl(const struct argument *argument, struct text *text)
{
	static const char *const directions[] = {
		[_IOC_NONE] = "_IO",
		[_IOC_WRITE] = "_IOW",
		[_IOC_READ] = "_IOR",
		[_IOC_READ | _IOC_WRITE] = "_IOWR",
	};
	uint32_t value = (uint32_t)argument->value;
	unsigned type = _IOC_TYPE(value);

	text_append_format(text, "%s(", directions[_IOC_DIR(value)]);
	if (type > ' ' && type < 0x7f && type != '\'' && type != '\\')
		text_append_format(text, "'%c'", (char)type);
	else
		text_append_format(text, "0x%x", type);
	text_append_format(text, ", 0x%x", _IOC_NR(value));
	if (_IOC_DIR(value) != _IOC_NONE || _IOC_SIZE(value))
		text_append_format(text, ", %u", _IOC_SIZE(value));
	text_append(text, ")");
	return true;
}

long read_string(
	const struct memory *memory, uint64_t address, char buffer[STRING_SHOWN], bool *whole)
{
	size_t got = memory && address ? memory->read(memory, address, buffer, STRING_SHOWN) : 0;

	if (!got)
		return -1;
	const char *end = memchr(buffer, '\0', got);
	*whole = end;
	return end ? end - buffer : (long)got;
}

static bool append_string(const struct argument *argument, struct text *text)
{
	char buffer[STRING_SHOWN];
	bool whole;

	if (!argument->value)
		return append_pointer(argument, text);
	long length = read_string(argument->process->memory, argument->value, buffer, &whole);
	if (length < 0)
		return false;
	text_append(text, "\"");
	for (long start = 0, at = 0; at <= length; at++) {
		if (at < length && buffer[at] != '"')
			continue;
		text_append_escaped(text, buffer + start, (size_t)(at - start));
		if (at < length)
			text_append(text, "\\\"");
		start = at + 1;
	}
	text_append(text, whole ? "\"" : "\"…");
	return true;
}

void append_descriptor(struct text *text, const struct process *process, int fd)
{
	const struct descriptor *descriptor = process->descriptors->find(process->descriptors, fd);

	text_append_format(text, "%d", fd);
	if (descriptor && descriptor->text)
		text_append_format(text, "<%s>", descriptor->text);
}

static bool append_descriptor_argument(const struct argument *argument, struct text *text)
{
	append_descriptor(text, argument->process, (int)argument->value);
	return true;
}

static bool append_directory(const struct argument *argument, struct text *text)
{
	if ((int)argument->value == AT_FDCWD)
		text_append(text, "AT_FDCWD");
	else
		append_descriptor(text, argument->process, (int)argument->value);
	return true;
}

const struct argument_type argument_int = {BARE_SIGNED, NULL};
const struct argument_type argument_long = {BARE_LONG, NULL};
const struct argument_type argument_size = {BARE_UNSIGNED, NULL};
const struct argument_type argument_hexadecimal = {BARE_HEXADECIMAL, NULL};
const struct argument_type argument_mode = {BARE_OCTAL, NULL};
const struct argument_type argument_pointer = {BARE_HEXADECIMAL, append_pointer};
const struct argument_type argument_flags = {BARE_HEXADECIMAL, append_flags_argument};
const struct argument_type argument_choice = {BARE_SIGNED, append_choice};
const struct argument_type argument_signal = {BARE_SIGNED, append_signal};
const struct argument_type argument_open_flags = {BARE_HEXADECIMAL, append_open_flags};
const struct argument_type argument_futex_operation = {BARE_SIGNED, append_futex_operation};
const struct argument_type argument_ioctl = {BARE_HEXADECIMAL, append_ioctl};
const struct argument_type argument_descriptor = {BARE_SIGNED, append_descriptor_argument};
const struct argument_type argument_directory = {BARE_SIGNED, append_directory};
const struct argument_type argument_string = {BARE_HEXADECIMAL, append_string};
