// SPDX-License-Identifier: Apache-2.0
/* The words that sentences are made of. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "util/endpoint.h"
#include "waits/kinds.h"

#define HOLDERS_MAX 64 /* a pipe may have been inherited by thousands */
#define PEERS_SAID 3

void say(struct waiting *waiting, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_append_vformat(&waiting->sentence, format, arguments);
	va_end(arguments);
}

void say_escaped(struct waiting *waiting, const char *string)
{
	text_append_escaped(&waiting->sentence, string, strlen(string));
}

static const struct descriptor *find(const struct waiting *waiting, int fd)
{
	return waiting->process->descriptors->find(waiting->process->descriptors, fd);
}

void say_descriptor(struct waiting *waiting, int fd)
{
	const struct descriptor *descriptor = find(waiting, fd);

	if (descriptor && descriptor->path && descriptor->path[0] == '/')
		say_escaped(waiting, descriptor->path);
	else if (descriptor && descriptor->text)
		say(waiting, "%s", descriptor->text);
	else
		say(waiting, "descriptor %d", fd);
}

void say_number_and_descriptor(struct waiting *waiting, int fd)
{
	append_descriptor(&waiting->sentence, waiting->process, fd);
}

void say_peers(
	struct waiting *waiting, const char *preposition, const struct descriptor *descriptor)
{
	size_t count = descriptor->peer_count;

	for (size_t i = 0; i < count && i < PEERS_SAID; i++) {
		const struct peer *peer = &descriptor->peers[i];

		say(waiting, i ? ", " : "%s ", preposition);
		if (peer->pid == waiting->process->pid) {
			say(waiting, "itself");
			continue;
		}
		say_escaped(waiting, peer->comm ? peer->comm : "a process");
		say(waiting, " (pid %d)", peer->pid);
	}
	if (count > PEERS_SAID)
		say(waiting, " and %zu more", count - PEERS_SAID);
}

void say_argument(struct waiting *waiting, const char *name)
{
	int index = call_parameter(waiting->call, name);
	struct text text cleanup_text = {0};

	if (index < 0)
		return;
	const struct parameter *parameter = &waiting->call->row->parameters[index];
	struct argument argument = {
		.process = waiting->process,
		.thread = waiting->thread,
		.all = waiting->call->arguments,
		.index = (unsigned)index,
		.value = waiting->call->arguments[index],
		.detail = parameter->detail,
		.resumed = waiting->call->resumed,
	};
	if (parameter->type->append && parameter->type->append(&argument, &text))
		text_append_bytes(&waiting->sentence, text.bytes, text.length);
	else
		say(waiting, "0x%llx", (unsigned long long)argument.value);
}

void say_call(struct waiting *waiting)
{
	const struct call *call = waiting->call;

	if (!call->name)
		return;
	say(waiting, "%s", call->name);
	for (size_t i = 0; call->row && i < SYSCALL_ARGUMENTS; i++) {
		const struct parameter *parameter = &call->row->parameters[i];

		if (!parameter->name)
			return;
		if (parameter->type != &argument_string && parameter->type != &argument_descriptor)
			continue;
		say(waiting, " of ");
		if (parameter->type == &argument_descriptor)
			say_descriptor(waiting, (int)call->arguments[i]);
		else
			say_argument(waiting, parameter->name);
		return;
	}
}

uint64_t call_value(const struct waiting *waiting, const char *name)
{
	int index = call_parameter(waiting->call, name);

	return index < 0 ? 0 : waiting->call->arguments[index];
}

struct holder *add_holder(
	struct waiting *waiting, enum sureness sureness, pid_t pid, pid_t tid, const char *text)
{
	size_t count = waiting->holder_count;

	if (count == HOLDERS_MAX) {
		waiting->holders_complete = false;
		return NULL;
	}
	/* Most waits have one; room is made for 1, 2, 4 … */
	if ((count & (count - 1)) == 0) {
		struct holder *holders =
			arena_new(waiting->waits->arena, struct holder, count ? 2 * count : 1);

		for (size_t i = 0; i < count; i++)
			holders[i] = waiting->holders[i];
		waiting->holders = holders;
	}
	struct holder *holder = &waiting->holders[waiting->holder_count++];
	*holder = (struct holder){.pid = pid, .tid = tid, .sureness = sureness, .text = text};
	return holder;
}

void add_peers(struct waiting *waiting, const struct descriptor *descriptor, const char *text)
{
	if (descriptor->peer_count && !descriptor->peers_partial)
		holders_are_all(waiting);
	for (size_t i = 0; i < descriptor->peer_count; i++)
		add_holder(waiting, SURE_MAY, descriptor->peers[i].pid, 0, text);
}

void add_remote(struct waiting *waiting, const struct descriptor *descriptor, const char *more)
{
	const struct socket_facts *socket = descriptor->socket;
	struct text text cleanup_text = {0};

	if (descriptor->kind != DESCRIPTOR_SOCKET || !socket || descriptor->peer_count ||
		socket->peer_inode || socket->family == AF_UNIX ||
		!endpoint_has_host(&socket->remote) || endpoint_is_of_host(&socket->remote) ||
		endpoint_same_host(&socket->local, &socket->remote))
		return;
	text_append_endpoint(&text, &socket->remote);
	text_append(&text, " (");
	text_append_escaped(&text, socket->protocol_name, strlen(socket->protocol_name));
	text_append_format(&text, ")%s", more);
	struct holder *holder =
		add_holder(waiting, SURE_MAY, 0, 0, text_to_arena(&text, waiting->waits->arena));
	if (holder)
		holder->unseen = true;
}

void add_parties(struct waiting *waiting, const struct parties *parties, const char *text)
{
	if (parties->count && parties->all)
		holders_are_all(waiting);
	for (size_t i = 0; i < parties->count; i++) {
		const struct party *party = &parties->items[i];
		struct holder *holder = add_holder(
			waiting, party->alone ? SURE_OWNS : SURE_MAY, party->pid, 0, text);

		if (holder)
			holder->uncertain = party->uncertain;
	}
}

void add_users(struct waiting *waiting, const struct parties *parties, const char *text)
{
	for (size_t i = 0; i < parties->count; i++) {
		const struct party *party = &parties->items[i];
		bool is_own = party->pid == waiting->process->pid;

		if (is_own && waiting->process->thread_count < 2)
			continue;
		struct holder *holder = add_holder(waiting, SURE_MAY, party->pid, 0,
			is_own ? "any other thread of its process" : text);
		if (holder)
			holder->uncertain = party->uncertain;
	}
}

/* Who has the master of a pseudo terminal: the terminal's window, sshd, tmux. Linux gives them the
 * majors 136 to 143 (Documentation/admin-guide/devices.txt). */
void add_masters(struct waiting *waiting, const struct descriptor *descriptor)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	unsigned first = 136, last = 143, device = major(descriptor->represents);

	if (!surroundings || device < first || device > last)
		return;
	struct parties masters = surroundings->terminal_masters(surroundings, descriptor->device,
		(device - first) * 256 + minor(descriptor->represents));
	add_users(waiting, &masters, "the other end of the terminal");
}

bool is_of_type(const struct file_system *found, const char *type)
{
	return !*type || (found->type && strncmp(found->type, type, strlen(type)) == 0);
}

/* The path that the parameter leads to, absolute; false: it can't be told. */
static bool read_path(const struct waiting *waiting, uint64_t address, char *path, size_t size)
{
	const struct process *process = waiting->process;
	char given[STRING_SHOWN];
	bool whole;
	long length = read_string(process->memory, address, given, &whole);
	int directory = call_parameter(waiting->call, "dirfd");

	if (length <= 0 || !whole || strlen(given) != (size_t)length || strstr(given, ".."))
		return false;
	if (given[0] == '/')
		return (size_t)snprintf(path, size, "%s", given) < size;
	if (!process->cwd ||
		(directory >= 0 && (int)waiting->call->arguments[directory] != AT_FDCWD))
		return false;
	return (size_t)snprintf(path, size, "%s/%s", process->cwd, given) < size;
}

bool find_file_system(const struct waiting *waiting, const char *type, struct file_system *found)
{
	struct surroundings *surroundings = waiting->process->surroundings;
	const struct descriptor *descriptor = waiting->descriptor;
	const struct call *call = waiting->call;
	char path[2 * STRING_SHOWN];

	if (!surroundings || !surroundings->file_system)
		return false;
	if (descriptor && descriptor->device &&
		surroundings->file_system(
			surroundings, waiting->process->pid, descriptor->device, NULL, found) &&
		is_of_type(found, type))
		return true;
	for (size_t i = 0; call->row && i < SYSCALL_ARGUMENTS; i++) {
		if (call->row->parameters[i].type == &argument_string &&
			read_path(waiting, call->arguments[i], path, sizeof(path)) &&
			surroundings->file_system(
				surroundings, waiting->process->pid, 0, path, found) &&
			is_of_type(found, type))
			return true;
	}
	return false;
}

void holders_are_all(struct waiting *waiting)
{
	int64_t left;

	waiting->holders_complete = !time_left(waiting, &left);
}

bool same_pid_namespace(const struct waiting *waiting)
{
	return waiting->process->namespace_pid == waiting->process->pid;
}

bool is_certain_party(const struct descriptor *descriptor)
{
	if (!descriptor)
		return false;
	switch (descriptor->kind) {
	case DESCRIPTOR_PIPE:
	case DESCRIPTOR_FIFO:
		return true;
	case DESCRIPTOR_SOCKET:
		return descriptor->socket && (descriptor->socket->remote.ss_family != AF_UNSPEC ||
						     descriptor->socket->peer_inode);
	default:
		return false;
	}
}
