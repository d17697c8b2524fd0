// SPDX-License-Identifier: Apache-2.0
/*
 * SVG: a flame graph that stands alone. What runs and what waits stand apart at its root and in the
 * strength of their colours; whose code a frame is shows in the hue. Its script, flame_graph.js,
 * zooms and searches; without it the whole is still to be seen.
 *
 * Names are in it as text alone, escaped for XML: no part of the script or of the style.
 */
#include <inttypes.h>
#include <string.h>

#include "flame_graph.inc"
#include "profile/call_tree.h"
#include "profile/format.h"
#include "util/memory.h"
#include "util/text.h"

#define WIDTH 1200
#define MARGIN 10
#define ROOM (WIDTH - 2 * MARGIN)
#define HEAD 92 /* above the frames */
#define FOOT 34 /* below them */
#define FRAME_HEIGHT 17
#define LETTER 7 /* width of one, about */

/* A frame of less than this share of the whole is left out, with all that is above it. */
#define LEAST_SHARE 20000

/* Characters that XML 1.0 does not allow (section 2.2) have been escaped before, but for two. */
static void append_xml(struct text *text, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;
	size_t left = strlen(string);

	while (left) {
		uint32_t point = *at;
		size_t length = text_decode_utf8(at, left, &point);

		if (!length || point < ' ' || point == 0xfffe || point == 0xffff)
			text_append(text, "?");
		else if (point == '&')
			text_append(text, "&amp;");
		else if (point == '<')
			text_append(text, "&lt;");
		else if (point == '>')
			text_append(text, "&gt;");
		else if (point == '"')
			text_append(text, "&quot;");
		else
			text_append_bytes(text, at, length);
		at += length ? length : 1;
		left -= length ? length : 1;
	}
}

/* As many characters of the name as there is room for, counted in code points. */
static void append_label(struct text *text, const char *name, double width)
{
	struct text label cleanup_text = {0};
	long letters = (long)((width - 6) / LETTER);
	long count = 0;
	size_t cut = 0, length = strlen(name);

	if (letters < 3)
		return;
	for (size_t at = 0; at < length; count++) {
		uint32_t point;
		size_t step =
			text_decode_utf8((const unsigned char *)name + at, length - at, &point);

		if (count < letters - 1)
			cut = at + (step ? step : 1);
		at += step ? step : 1;
	}
	if (count <= letters)
		cut = length;
	text_append_bytes(&label, name, cut);
	if (cut < length)
		text_append(&label, "…");
	append_xml(text, label.bytes);
}

struct hue {
	int degrees, spread, saturation;
};

/* Neighbours differ a little, the same name never does. */
static int variation(const char *name, int spread)
{
	unsigned hash = 5381;

	for (; *name; name++)
		hash = hash * 33 ^ (unsigned char)*name;
	return spread ? (int)(hash % (unsigned)(2 * spread + 1)) - spread : 0;
}

static void append_color(struct text *text, const struct call *call)
{
	static const struct hue of_origin[] = {
		[FRAME_NATIVE] = {212, 14, 80},
		[FRAME_GO] = {165, 12, 65},
		[FRAME_KERNEL] = {30, 10, 90},
	};
	struct hue hue = of_origin[call->origin];

	if (call->kind == CALL_ROOT)
		hue = (struct hue){0, 0, 0};
	else if (call->kind == CALL_STATE)
		hue = call->is_running ? (struct hue){120, 0, 60} : (struct hue){275, 0, 30};
	else if (call->kind == CALL_PROCESS)
		hue = (struct hue){50, 0, 25};
	bool pale = call->kind != CALL_ROOT && !call->is_running;
	text_append_format(text, "hsl(%d,%d%%,%d%%)",
		(hue.degrees + variation(call->name, hue.spread) + 360) % 360,
		pale ? hue.saturation * 2 / 3 : hue.saturation, pale ? 84 : 66);
}

static const char *kind_word(const struct call *call)
{
	static const char *const words[] = {
		[FRAME_NATIVE] = "native",
		[FRAME_GO] = "Go",
		[FRAME_KERNEL] = "kernel",
	};

	if (call->kind != CALL_FRAME)
		return call->kind == CALL_PROCESS ? "process" : NULL;
	return words[call->origin];
}

struct drawing {
	struct text text;
	const struct call *root;
	bool by_count;
	size_t depth; /* of the deepest frame that is drawn */
	bool left_out;
};

static bool is_large_enough(const struct drawing *drawing, const struct call *call)
{
	return call->size > drawing->root->size / LEAST_SHARE;
}

static void append_title(struct drawing *drawing, const struct call *call)
{
	struct text *text = &drawing->text;
	const char *word = kind_word(call);

	text_append(text, "<title>");
	append_xml(text, call->name);
	text_append(text, "\n");
	if (word)
		text_append_format(text, "%s%s, ", word, call->inlined ? ", inlined" : "");
	if (call->kind == CALL_FRAME || call->kind == CALL_PROCESS)
		text_append(text, call->is_running ? "running, " : "waiting, ");
	if (!drawing->by_count) {
		text_append_duration(text, (long long)call->size);
		text_append(text, ", ");
	}
	text_append_format(text, "%" PRIu64 " sample%s, %.2f %%</title>", call->count,
		call->count == 1 ? "" : "s",
		100.0 * (double)call->size / (double)drawing->root->size);
}

/* The root stands lowest: @height is that of all frames. */
static void append_frame(struct drawing *drawing, const struct call *call, uint64_t begin,
	size_t depth, size_t height)
{
	struct text *text = &drawing->text;
	double scale = (double)ROOM / (double)drawing->root->size;
	double x = MARGIN + (double)begin * scale, width = (double)call->size * scale;
	size_t y = HEAD + height - (depth + 1) * FRAME_HEIGHT;

	text_append_format(text,
		"<g data-begin=\"%" PRIu64 "\" data-size=\"%" PRIu64 "\" data-depth=\"%zu\">",
		begin, call->size, depth);
	append_title(drawing, call);
	text_append_format(text, "<rect x=\"%.2f\" y=\"%zu\" width=\"%.2f\" height=\"%d\" fill=\"",
		x, y, width, FRAME_HEIGHT - 1);
	append_color(text, call);
	text_append_format(text, "\"/><text x=\"%.2f\" y=\"%zu\">", x + 3, y + 12);
	append_label(text, call->name, width);
	text_append(text, "</text></g>\n");
}

/* A call that is being gone through: there may be more levels than a stack of calls would bear. */
struct step {
	const struct call *call;
	uint64_t begin;
};

/* Calls do(…) for each call that is large enough, with where it begins and its depth. */
static void walk(struct drawing *drawing, size_t height,
	void (*act)(struct drawing *drawing, const struct call *call, uint64_t begin, size_t depth,
		size_t height))
{
	struct step *steps cleanup_free = NULL;
	size_t count = 0, capacity = 0;

	array_reserve(steps, count, capacity);
	steps[count++] = (struct step){drawing->root, 0};
	while (count) {
		struct step *step = &steps[count - 1];
		const struct call *call = step->call;
		uint64_t begin = step->begin;

		if (!call) {
			count--;
			continue;
		}
		*step = (struct step){call->next, begin + call->size};
		if (!is_large_enough(drawing, call)) {
			drawing->left_out = true;
			continue;
		}
		act(drawing, call, begin, count - 1, height);
		array_reserve(steps, count, capacity);
		steps[count++] = (struct step){call->first, begin};
	}
}

static void measure(struct drawing *drawing, const struct call *call, uint64_t begin, size_t depth,
	size_t height)
{
	(void)call, (void)begin, (void)height;
	if (depth > drawing->depth)
		drawing->depth = depth;
}

static void append_legend(struct text *text)
{
	static const struct {
		const char *word;
		struct call call;
	} entries[] = {
		{"kernel", {.kind = CALL_FRAME,
				   .origin = FRAME_KERNEL,
				   .name = "",
				   .is_running = true}},
		{"native", {.kind = CALL_FRAME,
				   .origin = FRAME_NATIVE,
				   .name = "",
				   .is_running = true}},
		{"Go", {.kind = CALL_FRAME, .origin = FRAME_GO, .name = "", .is_running = true}},
	};
	int x = MARGIN;

	for (size_t i = 0; i < array_length(entries); i++) {
		struct call waiting = entries[i].call;

		waiting.is_running = false;
		text_append_format(
			text, "<rect x=\"%d\" y=\"40\" width=\"12\" height=\"12\" fill=\"", x);
		append_color(text, &entries[i].call);
		text_append_format(text,
			"\"/><rect x=\"%d\" y=\"40\" width=\"12\" height=\"12\" fill=\"", x + 13);
		append_color(text, &waiting);
		text_append_format(
			text, "\"/><text x=\"%d\" y=\"51\">%s</text>\n", x + 30, entries[i].word);
		x += 90;
	}
	text_append_format(
		text, "<text x=\"%d\" y=\"51\">strong: running, pale: waiting</text>\n", x);
}

static void append_head(struct drawing *drawing, const struct recording *recording)
{
	struct text *text = &drawing->text;

	text_append_format(text, "<text id=\"heading\" x=\"%d\" y=\"26\">", MARGIN);
	append_xml(text, recording->targets);
	text_append_format(
		text, ": %" PRIu64 " look%s", recording->looks, recording->looks == 1 ? "" : "s");
	if (!drawing->by_count) {
		text_append(text, " in ");
		text_append_duration(text, recording->duration_ns);
	}
	text_append(text, "</text>\n");
	append_legend(text);
	text_append_format(text,
		"<g id=\"controls\" visibility=\"hidden\">\n"
		"<text id=\"reset\" class=\"off\" x=\"%d\" y=\"76\">reset zoom</text>\n"
		"<text id=\"clear\" class=\"off\" x=\"%d\" y=\"76\">clear search</text>\n"
		"<foreignObject x=\"%d\" y=\"60\" width=\"210\" height=\"24\">"
		"<input xmlns=\"http://www.w3.org/1999/xhtml\" id=\"search\" type=\"search\" "
		"placeholder=\"search: a regular expression\" "
		"aria-label=\"search: a regular expression\"/></foreignObject>\n</g>\n"
		"<text id=\"matched\" x=\"%d\" y=\"51\" text-anchor=\"end\"></text>\n",
		MARGIN, MARGIN + 100, WIDTH - MARGIN - 210, WIDTH - MARGIN);
}

static void write_svg(const struct profile *profile, const struct recording *recording, FILE *out)
{
	struct arena *arena cleanup_arena = arena_create();
	struct drawing drawing = {.root = call_tree(profile, arena)};
	struct text *text = &drawing.text;

	drawing.by_count = drawing.root->size == drawing.root->count;
	walk(&drawing, 0, measure);
	size_t height = (drawing.depth + 1) * FRAME_HEIGHT;
	text_append_format(text,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
		"viewBox=\"0 0 %d %zu\" data-room=\"%d\" data-margin=\"%d\" data-total=\"%" PRIu64
		"\">\n<title>whystuck record ",
		WIDTH, HEAD + height + FOOT, WIDTH, HEAD + height + FOOT, ROOM, MARGIN,
		drawing.root->size);
	append_xml(text, recording->targets);
	text_append(text, "</title>\n<style>\n");
	text_append(text, flame_graph_css);
	text_append(text, "</style>\n");
	append_head(&drawing, recording);
	text_append(text, "<g id=\"frames\">\n");
	if (drawing.root->size)
		walk(&drawing, height, append_frame);
	text_append(text, "</g>\n");
	text_append_format(text, "<text id=\"details\" x=\"%d\" y=\"%zu\"></text>\n", MARGIN,
		HEAD + height + 14);
	if (drawing.left_out)
		text_append_format(text,
			"<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">frames below %.3f %% are "
			"left out</text>\n",
			WIDTH - MARGIN, HEAD + height + 28, 100.0 / LEAST_SHARE);
	text_append(text, "<script><![CDATA[\n");
	text_append(text, flame_graph_js);
	text_append(text, "]]></script>\n</svg>\n");
	fwrite(text->bytes, 1, text->length, out);
	text_deinit(text);
}

const struct profile_format profile_svg = {
	.name = "svg",
	.ending = ".svg",
	.summary = "a flame graph, for browsers",
	.write = write_svg,
};
