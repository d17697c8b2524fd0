// SPDX-License-Identifier: Apache-2.0
#include "render/json_info.h"

static const char *const kind_names[] = {
	[DESCRIPTOR_UNKNOWN] = "unknown",
	[DESCRIPTOR_FILE] = "file",
	[DESCRIPTOR_DIRECTORY] = "directory",
	[DESCRIPTOR_PIPE] = "pipe",
	[DESCRIPTOR_FIFO] = "fifo",
	[DESCRIPTOR_SOCKET] = "socket",
	[DESCRIPTOR_EVENTFD] = "eventfd",
	[DESCRIPTOR_TIMERFD] = "timerfd",
	[DESCRIPTOR_SIGNALFD] = "signalfd",
	[DESCRIPTOR_INOTIFY] = "inotify",
	[DESCRIPTOR_FANOTIFY] = "fanotify",
	[DESCRIPTOR_EPOLL] = "epoll",
	[DESCRIPTOR_PIDFD] = "pidfd",
	[DESCRIPTOR_IO_URING] = "io_uring",
	[DESCRIPTOR_MESSAGE_QUEUE] = "message-queue",
	[DESCRIPTOR_TTY] = "tty",
	[DESCRIPTOR_CHARACTER_DEVICE] = "character-device",
	[DESCRIPTOR_BLOCK_DEVICE] = "block-device",
	[DESCRIPTOR_ANONYMOUS] = "anonymous",
};

static struct json_object *socket_value(const struct socket_facts *facts)
{
	struct json_object *object = json_new_object();

	json_add_string(object, "protocol", facts->protocol_name);
	json_add_string(object, "path", facts->path);
	json_add_int_if(object, "receive_queue", facts->has_queues, facts->receive_queue);
	json_add_int_if(object, "send_queue", facts->has_queues, facts->send_queue);
	return object;
}

static struct json_object *peers_value(const struct descriptor *descriptor)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < descriptor->peer_count; i++) {
		const struct peer *peer = &descriptor->peers[i];
		struct json_object *object = json_new_object();

		json_add_int(object, "pid", peer->pid);
		json_add_string(object, "comm", peer->comm);
		json_add_int_if(object, "fd", peer->fd >= 0, peer->fd);
		json_append(array, object);
	}
	return array;
}

static struct json_object *descriptor_value(const struct descriptor *descriptor)
{
	struct json_object *object = json_new_object();

	json_add_int(object, "fd", descriptor->fd);
	json_add_string(object, "kind", kind_names[descriptor->kind]);
	json_add_string(object, "path", descriptor->path);
	json_add_bool(object, "deleted", descriptor->deleted);
	json_add_string(object, "text", descriptor->text);
	json_add(object, "socket", descriptor->socket ? socket_value(descriptor->socket) : NULL);
	json_add(object, "peers", peers_value(descriptor));
	json_add_bool(object, "peers_partial", descriptor->peers_partial);
	json_add_string(object, "problem", descriptor->problem);
	return object;
}

static struct json_object *limits_value(const struct process_info *info)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < info->limit_count; i++) {
		const struct process_limit *limit = &info->limits[i];
		struct json_object *object = json_new_object();

		json_add_string(object, "name", limit->name);
		json_add_string(object, "soft", limit->soft);
		json_add_string(object, "hard", limit->hard);
		json_add_string(object, "unit", limit->unit);
		json_append(array, object);
	}
	return array;
}

static struct json_object *namespaces_value(const struct process_info *info)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < info->namespace_count; i++) {
		struct json_object *object = json_new_object();

		json_add_string(object, "name", info->namespaces[i].name);
		json_add_unsigned(object, "inode", info->namespaces[i].inode);
		json_append(array, object);
	}
	return array;
}

struct json_object *json_info(const struct process *process)
{
	const struct process_info *info = process->info;
	struct json_object *object = json_new_object();
	struct json_object *descriptors = json_new_array();

	json_add_int_if(object, "namespace_pid", process->namespace_pid, process->namespace_pid);
	json_add_int_if(object, "tracer", process->tracer, process->tracer);
	json_add(object, "limits", limits_value(info));
	json_add(object, "namespaces", namespaces_value(info));
	for (size_t i = 0; i < info->descriptor_count; i++)
		json_append(descriptors, descriptor_value(info->descriptors[i]));
	json_add(object, "descriptors", descriptors);
	return object;
}
