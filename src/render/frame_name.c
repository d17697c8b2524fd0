// SPDX-License-Identifier: Apache-2.0
#include "render/frame_name.h"

#include <string.h>

void frame_name_append(struct text *text, const char *name)
{
	size_t begin = text->length;

	text_append_escaped(text, name, strlen(name));
	for (size_t i = begin; i < text->length; i++) {
		if (text->bytes[i] == ';')
			text->bytes[i] = ':';
	}
}

void frame_name_append_user(struct text *text, const struct frame *frame)
{
	if (frame->kind && strcmp(frame->kind, "signal") == 0) {
		text_append(text, "<signal handler called>");
	} else if (frame->symbol) {
		frame_name_append(text, frame->symbol);
	} else if (frame->module) {
		const char *slash = strrchr(frame->module, '/');

		text_append(text, "[");
		frame_name_append(text, slash ? slash + 1 : frame->module);
		text_append(text, "]");
	} else {
		text_append(text, "[unknown]");
	}
}
