// SPDX-License-Identifier: Apache-2.0
#include "collect/collector.h"
#include "collect/ways.h"
#include "util/memory.h"
#include "util/text.h"

/* Best first; the last serves every request. */
static const struct collector *const collectors[] = {
#ifdef HAVE_BPF
	&collector_bpf,
#endif
	&collector_ptrace,
	&collector_passive,
};

struct collection collect(const struct look_request *request, struct look *look)
{
	struct text refused cleanup_text = {0};

	for (size_t i = 0; i < array_length(collectors); i++) {
		struct error error = collectors[i]->collect(request, look);

		if (!failed(error))
			return (struct collection){
				.used = collectors[i],
				.refused = refused.length ? text_to_arena(&refused, look->arena)
							  : NULL,
			};
		text_append_format(&refused, "%snot by %s: %s", refused.length ? ", " : "",
			collectors[i]->name, error.reason);
	}
	return (struct collection){0};
}
