// SPDX-License-Identifier: Apache-2.0
/* What --process-info adds below a process's header in text output. */
#pragma once

#include "model/process.h"
#include "render/page.h"

void info_text_put(struct page *page, const struct process *process);

/* "12 s", "3 min 5 s": the age of a process, whose parts of a second tell nobody anything. */
void text_append_age(struct text *text, int64_t ns);
