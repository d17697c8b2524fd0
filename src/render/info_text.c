// SPDX-License-Identifier: Apache-2.0
#include "render/info_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/memory.h"

#define INFO_COLUMN 14
#define DESCRIPTOR_COLUMN 21

static void put_label(struct page *page, const char *label)
{
	page_pad(page, 2, 0);
	page_put(page, STYLE_DIM, label);
	page_pad(page, INFO_COLUMN, 1);
}

static void put_raw_line(struct page *page, const char *label, const char *string)
{
	put_label(page, label);
	page_put_raw(page, STYLE_PLAIN, string);
	page_end(page);
}

void text_append_age(struct text *text, int64_t ns)
{
	if (ns >= NS_PER_SECOND && ns < 60 * NS_PER_SECOND)
		text_append_format(text, "%" PRId64 " s", (int64_t)(ns / NS_PER_SECOND));
	else
		text_append_duration(text, ns);
}

static void put_command(struct page *page, const struct process *process)
{
	struct text line cleanup_text = {0};

	put_label(page, "command");
	for (size_t i = 0; i < process->cmdline_count; i++) {
		const char *argument = process->cmdline[i];

		/* quoted, so that it is seen where an argument ends; the quotes are for the eye
		 * only */
		bool quoted = !*argument || strpbrk(argument, " '\"");

		text_append(&line, i ? " " : "");
		text_append(&line, quoted ? "\"" : "");
		text_append_escaped(&line, argument, strlen(argument));
		text_append(&line, quoted ? "\"" : "");
	}
	page_put(page, STYLE_PLAIN, line.bytes);
	page_end(page);
}

static void put_identity(struct page *page, const struct process *process)
{
	put_label(page, "user id");
	page_format(page, STYLE_PLAIN, "%u", process->uid);
	page_end(page);
	put_label(page, "parent");
	page_format(page, STYLE_PLAIN, "pid %d", process->ppid);
	page_end(page);
	if (process->namespace_pid && process->namespace_pid != process->pid) {
		put_label(page, "own pid");
		page_format(page, STYLE_PLAIN, "%d in its pid namespace", process->namespace_pid);
		page_end(page);
	}
	if (process->tracer) {
		put_label(page, "tracer");
		page_format(page, STYLE_PLAIN, "pid %d", process->tracer);
		page_end(page);
	}
}

static void put_start(struct page *page, const struct process *process)
{
	time_t seconds = process->started_at_ns / NS_PER_SECOND;
	struct text age cleanup_text = {0};
	char date[64];
	struct tm parts;

	if (process->started_at_ns < 0 || !gmtime_r(&seconds, &parts) ||
		!strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &parts))
		return;
	put_label(page, "started");
	page_put(page, STYLE_PLAIN, date);
	if (process->running_ns >= 0) {
		text_append_age(&age, process->running_ns);
		page_format(page, STYLE_DIM, "   %s ago", age.bytes);
	}
	page_end(page);
}

/* Limits, as /proc/PID/limits names them, that a stuck process may have run into. */
static const struct {
	const char *name, *shown;
} telling_limits[] = {
	{"Max open files", "open files"},
	{"Max processes", "processes"},
	{"Max address space", "address space"},
	{"Max data size", "data"},
	{"Max stack size", "stack"},
	{"Max locked memory", "locked memory"},
	{"Max file size", "file size"},
	{"Max cpu time", "CPU time"},
};

static const char *limit_shown(const struct process_limit *limit)
{
	for (size_t i = 0; i < array_length(telling_limits); i++) {
		if (strcmp(limit->name, telling_limits[i].name) == 0)
			return strcmp(limit->soft, "unlimited") ? telling_limits[i].shown : NULL;
	}
	return NULL;
}

static void put_limits(struct page *page, const struct process_info *info)
{
	struct text item cleanup_text = {0};
	bool first = true;

	for (size_t i = 0; i < info->limit_count; i++) {
		const struct process_limit *limit = &info->limits[i];
		const char *shown = limit_shown(limit);

		if (!shown)
			continue;
		if (first)
			put_label(page, "limits");
		else
			page_put(page, STYLE_PLAIN, ",");
		first = false;
		text_clear(&item);
		text_append_format(&item, "%s %s", shown, limit->soft);
		if (limit->unit && *limit->unit && strcmp(limit->unit, "files") &&
			strcmp(limit->unit, "processes"))
			text_append_format(&item, " %s", limit->unit);
		if (strcmp(limit->soft, limit->hard))
			text_append_format(&item, " (hard %s)", limit->hard);
		page_wrap(page, INFO_COLUMN, STYLE_PLAIN, item.bytes);
	}
	if (!first)
		page_end(page);
}

static void put_namespaces(struct page *page, const struct process_info *info)
{
	struct text item cleanup_text = {0};

	if (!info->namespace_count)
		return;
	put_label(page, "namespaces");
	for (size_t i = 0; i < info->namespace_count; i++) {
		const struct process_namespace *namespace = &info->namespaces[i];

		if (i)
			page_put(page, STYLE_PLAIN, ",");
		text_clear(&item);
		text_append_format(&item, "%s %" PRIu64, namespace->name, namespace->inode);
		page_wrap(page, INFO_COLUMN, STYLE_PLAIN, item.bytes);
	}
	page_end(page);
}

static void put_descriptor(struct page *page, const struct descriptor *descriptor)
{
	page_pad(page, INFO_COLUMN, 0);
	page_format(page, STYLE_PLAIN, "%5d", descriptor->fd);
	page_pad(page, DESCRIPTOR_COLUMN, 2);
	if (descriptor->text)
		page_put(page, STYLE_PLAIN, descriptor->text);
	else if (descriptor->path)
		page_put_raw(page, STYLE_PLAIN, descriptor->path);
	page_end(page);
	if (descriptor->problem) {
		page_pad(page, DESCRIPTOR_COLUMN, 0);
		page_put_raw(page, STYLE_GAP, descriptor->problem);
		page_end(page);
	}
}

static void put_peers(struct page *page, const struct descriptor *descriptor)
{
	struct text item cleanup_text = {0};

	page_pad(page, DESCRIPTOR_COLUMN, 0);
	page_put(page, STYLE_DIM, "other end:");
	for (size_t i = 0; i < descriptor->peer_count; i++) {
		const struct peer *peer = &descriptor->peers[i];
		const char *comm = peer->comm ? peer->comm : "?";

		if (i)
			page_put(page, STYLE_DIM, ",");
		text_clear(&item);
		text_append_escaped(&item, comm, strlen(comm));
		text_append_format(&item, " (pid %d", peer->pid);
		if (peer->fd >= 0)
			text_append_format(&item, ", descriptor %d", peer->fd);
		text_append(&item, ")");
		page_wrap(page, DESCRIPTOR_COLUMN, STYLE_DIM, item.bytes);
	}
	page_end(page);
}

static void put_descriptors(struct page *page, const struct process_info *info)
{
	put_label(page, "open files");
	page_format(page, STYLE_PLAIN, "%zu", info->descriptor_count);
	page_end(page);
	for (size_t i = 0; i < info->descriptor_count; i++) {
		const struct descriptor *descriptor = info->descriptors[i];

		put_descriptor(page, descriptor);
		if (descriptor->peer_count)
			put_peers(page, descriptor);
	}
}

void info_text_put(struct page *page, const struct process *process)
{
	const struct process_info *info = process->info;

	if (process->cmdline_count)
		put_command(page, process);
	if (process->exe)
		put_raw_line(page, "executable", process->exe);
	if (process->cwd)
		put_raw_line(page, "directory", process->cwd);
	put_identity(page, process);
	put_start(page, process);
	if (process->runtime)
		put_raw_line(page, "runtime", process->runtime);
	if (process->container)
		put_raw_line(page, "container", process->container);
	if (!info)
		return;
	put_limits(page, info);
	put_namespaces(page, info);
	put_descriptors(page, info);
}
