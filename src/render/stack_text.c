// SPDX-License-Identifier: Apache-2.0
#include "render/stack_text.h"

#include <inttypes.h>
#include <string.h>

#include "util/memory.h"

#define SYMBOL_COLUMNS_MIN 31 /* room for functions beside which places are aligned */
#define SYMBOL_COLUMNS_MAX 57
#define SYMBOL_COLUMNS_CUT                                                                         \
	500         /* templates can be longer than anyone reads: JSON has them whole              \
		     */
#define RUN_SHOWN 4 /* equal frames in a row from which on they are counted */

void label_put(struct page *page, const char *label)
{
	page_pad(page, LABEL_COLUMN, 0);
	page_put(page, STYLE_DIM, label);
	page_pad(page, CONTENT_COLUMN, 1);
}

/* The last part of a path; the path itself where it has none. */
static const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* What is missing at @stage: all of it, unless some was @had. */
static void put_gaps(
	struct page *page, const struct gaps *gaps, enum stage stage, const char *label, bool had)
{
	for_each_gap (gap, gaps) {
		if (gap->stage != stage)
			continue;
		label_put(page, label);
		page_format(page, STYLE_GAP, "%s%s", had ? "" : "not shown: ", gap->reason);
		page_end(page);
		label = "";
	}
}

static void put_kernel_frame(struct page *page, const struct kernel_frame *frame, bool addresses)
{
	if (addresses && frame->address)
		page_format(page, frame->symbol ? STYLE_DIM : STYLE_FUNCTION, "0x%016" PRIx64 "%s",
			frame->address, frame->symbol ? " " : "");
	if (frame->symbol) {
		page_put_raw_cut(page, STYLE_FUNCTION, frame->symbol, SYMBOL_COLUMNS_CUT);
		page_format(
			page, STYLE_DIM, "+0x%" PRIx32 "/0x%" PRIx32, frame->offset, frame->size);
	} else if (!addresses || !frame->address) {
		page_put(page, STYLE_FUNCTION, "?");
	}
	if (frame->module) {
		page_put(page, STYLE_DIM, " [");
		page_put_raw(page, STYLE_DIM, frame->module);
		page_put(page, STYLE_DIM, "]");
	}
}

static void put_kernel(struct page *page, const struct thread *thread, bool addresses)
{
	const struct kernel_stack *stack = thread->kernel_stack;
	const char *label = "kernel";

	for (size_t i = 0; stack && i < stack->count; i++) {
		label_put(page, label);
		put_kernel_frame(page, &stack->frames[i], addresses);
		page_end(page);
		label = "";
	}
	if (!stack && thread->wchan) {
		label_put(page, label);
		page_put_raw(page, STYLE_FUNCTION, thread->wchan);
		page_put(page, STYLE_DIM, "   (the function it sleeps in)");
		page_end(page);
		label = "";
	}
	put_gaps(page, &thread->gaps, STAGE_KERNEL_STACK, label, stack);
}

static void put_syscall(struct page *page, const struct thread *thread, bool example)
{
	const struct syscall_call *call = thread->syscall;

	if (call) {
		label_put(page, "syscall");
		page_put(page, STYLE_PLAIN, call->text);
		if (example)
			page_format(page, STYLE_DIM, "   (thread %d)", thread->tid);
		page_end(page);
	}
	put_gaps(page, &thread->gaps, STAGE_SYSCALL, call ? "" : "syscall", call);
}

static bool is_signal_frame(const struct frame *frame)
{
	return frame->kind && strcmp(frame->kind, "signal") == 0;
}

static bool has_name(const struct frame *frame)
{
	return frame->symbol && *frame->symbol;
}

static void put_name(struct page *page, const struct frame *frame)
{
	if (is_signal_frame(frame))
		page_put(page, STYLE_FUNCTION, "<signal handler called>");
	else if (has_name(frame))
		page_put_raw_cut(page, STYLE_FUNCTION, frame->symbol, SYMBOL_COLUMNS_CUT);
	else
		page_format(page, STYLE_FUNCTION, "0x%" PRIx64, frame->address.value);
}

/* The function's part of a frame's line, the offset apart since it is not the name's. */
static void put_symbol(struct page *page, const struct frame *frame)
{
	put_name(page, frame);
	if (has_name(frame) && frame->has_offset && !is_signal_frame(frame))
		page_format(page, STYLE_DIM, "+0x%" PRIx64, frame->offset);
	if (frame->inlined)
		page_put(page, STYLE_DIM, " (inlined)");
	if (frame->uncertain)
		page_put(page, STYLE_ALARM, " ?");
}

/* The statement that started a goroutine, as the runtime's own traceback says it. */
static void put_creator(struct page *page, const struct user_block *block)
{
	const struct goroutine *goroutine = block->goroutine;

	page_put(page, STYLE_DIM, "created by ");
	put_name(page, goroutine->creator);
	if (block->creators_differ)
		page_put(page, STYLE_DIM, " in different goroutines");
	else if (goroutine->creator_id)
		page_format(page, STYLE_DIM, " in goroutine %" PRIu64, goroutine->creator_id);
}

/* The columns of the line, forgotten then, if they are within what places are aligned beside. */
static size_t measured(struct page *measure, size_t columns)
{
	if (measure->column > columns && measure->column <= SYMBOL_COLUMNS_MAX)
		columns = measure->column;
	page_discard(measure);
	return columns;
}

/* Where places are aligned: beside the longest function, long ones that would push all away left
 * out. */
static size_t symbol_columns(
	const struct user_block *block, const struct frame *const *frames, size_t count)
{
	struct page measure cleanup_page = {0};
	size_t columns = SYMBOL_COLUMNS_MIN;

	for (size_t i = 0; i < count; i++) {
		put_symbol(&measure, frames[i]);
		columns = measured(&measure, columns);
	}
	if (block->goroutine && block->goroutine->creator) {
		put_creator(&measure, block);
		columns = measured(&measure, columns);
	}
	return columns;
}

/*
 * How far @address lies from where its module begins, false where that is not mapped. A
 * module has a handful of mappings in a row; the bound is for a process that made many.
 */
static bool module_offset(const struct process *process, uint64_t address, uint64_t *offset)
{
	const struct mapping *mapping = mappings_find(&process->mappings, address);

	for (int i = 0; mapping && mapping->inode && i < 32; i++) {
		if (mapping->offset == 0) {
			*offset = address - mapping->start;
			return true;
		}
		if (mapping == process->mappings.items || mapping[-1].inode != mapping->inode ||
			mapping[-1].device != mapping->device)
			return false;
		mapping--;
	}
	return false;
}

static void put_place(struct page *page, const struct process *process, const struct frame *frame,
	const struct render_options *options)
{
	uint64_t offset;

	if (frame->file && options->lines) {
		page_put_raw(page, STYLE_PLAIN, path_base(frame->file));
		if (frame->line)
			page_format(page, STYLE_PLAIN, ":%u", frame->line);
	} else if (frame->module) {
		page_put_raw(page, STYLE_DIM, path_base(frame->module));
		if (!frame->symbol && !is_signal_frame(frame) &&
			module_offset(process, frame->address.value, &offset))
			page_format(page, STYLE_DIM, "+0x%" PRIx64, offset);
	}
}

/* How many frames from the first on are the same as it: a function that calls itself. */
static size_t run_length(const struct frame *const *frames, size_t count)
{
	size_t next = 1;

	while (next < count && frames[next]->address.value == frames[0]->address.value &&
		!frames[0]->inlined && !frames[next]->inlined)
		next++;
	return next;
}

static void put_stack_end(struct page *page, const struct user_block *block, const char *label)
{
	const struct user_stack *stack = block->stack;
	const char *reason = NULL;

	if (stack->end == STACK_COMPLETE)
		return;
	label_put(page, label);
	if (stack->end == STACK_LIMIT) {
		size_t count = stack->address_count ? stack->address_count : stack->frame_count;

		page_format(page, STYLE_GAP, "… (%zu frame%s: -n shows more)", count,
			count == 1 ? "" : "s");
		page_end(page);
		return;
	}
	for_each_gap (gap, block->gaps) {
		if (!reason && gap->stage == STAGE_USER_STACK)
			reason = gap->reason;
	}
	page_put(page, STYLE_GAP, "… ends: ");
	if (stack->end_detail)
		page_put_raw(page, STYLE_GAP, stack->end_detail);
	else if (reason)
		page_put(page, STYLE_GAP, reason);
	else if (stack->end == STACK_NO_UNWIND_INFO)
		page_put(page, STYLE_GAP, "nothing tells who called this");
	else
		page_put(page, STYLE_GAP, "where the caller stands could not be read");
	page_end(page);
}

/* The frames of the block that are shown, in @shown, which has room for all; their count. */
static size_t choose_frames(const struct user_block *block, const struct frame **shown)
{
	const struct user_stack *stack = block->stack;
	bool hides = block->hides && stack_hides(stack);
	size_t count = 0;

	for (size_t i = 0; i < stack->frame_count; i++) {
		if (!hides || !stack->frames[i]->hidden)
			shown[count++] = stack->frames[i];
	}
	return count;
}

void user_block_put(struct page *page, const struct process *process,
	const struct user_block *block, const struct render_options *options)
{
	const struct user_stack *stack = block->stack;
	const char *label = block->label;
	const struct frame **frames cleanup_free =
		reallocate(NULL, (stack ? stack->frame_count : 0) + 1, sizeof(*frames));
	size_t count = stack ? choose_frames(block, frames) : 0;
	size_t columns = symbol_columns(block, frames, count);

	for (size_t i = 0, run; i < count; i += run) {
		label_put(page, label);
		put_symbol(page, frames[i]);
		page_pad(page, CONTENT_COLUMN + columns + 2, 2);
		put_place(page, process, frames[i], options);
		page_end(page);
		label = "";
		run = run_length(frames + i, count - i);
		if (run < RUN_SHOWN) {
			run = 1;
			continue;
		}
		label_put(page, label);
		page_format(page, STYLE_DIM, "… the same %zu times more", run - 1);
		page_end(page);
	}
	if (stack) {
		put_stack_end(page, block, label);
		label = stack->end == STACK_COMPLETE ? label : "";
	}
	if (!stack || stack->end == STACK_COMPLETE || stack->end == STACK_LIMIT)
		put_gaps(page, block->gaps, STAGE_USER_STACK, label, stack);
	if (block->goroutine && block->goroutine->creator) {
		label_put(page, "");
		put_creator(page, block);
		page_pad(page, CONTENT_COLUMN + columns + 2, 2);
		put_place(page, process, block->goroutine->creator, options);
		page_end(page);
	}
}

static void put_user(struct page *page, const struct process *process, const struct thread *thread,
	bool creators_differ, const struct render_options *options)
{
	const struct user_block block = {
		.label = "user",
		.stack = thread->user_stack,
		.gaps = &thread->gaps,
		.hides = thread->goroutine && !options->runtime_frames,
		.goroutine = goroutine_of(process, thread),
		.creators_differ = creators_differ,
	};

	user_block_put(page, process, &block, options);
}

void stack_text_put(struct page *page, const struct process *process, const struct thread *thread,
	struct examples examples, const struct render_options *options)
{
	if (options->kernel)
		put_kernel(page, thread, options->addresses);
	put_syscall(page, thread, examples.syscall);
	if (options->user)
		put_user(page, process, thread, examples.creator, options);
	put_gaps(page, &thread->gaps, STAGE_SYMBOLS, "symbols", true);
	put_gaps(page, &thread->gaps, STAGE_DESCRIPTORS, "files", true);
	put_gaps(page, &thread->gaps, STAGE_WAIT, "wait", thread->wait);
	put_gaps(page, &thread->gaps, STAGE_THREAD, "thread", true);
}
