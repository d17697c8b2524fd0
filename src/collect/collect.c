// SPDX-License-Identifier: Apache-2.0
#include "collect/collector.h"
#include "collect/ways.h"
#include "util/memory.h"

/* Best first; the last serves every request. */
static const struct collector *const collectors[] = {
	&collector_ptrace,
	&collector_passive,
};

static const struct collector *choose(const struct look_request *request)
{
	size_t i = 0;

	while (i + 1 < array_length(collectors) && collectors[i]->usable &&
		failed(collectors[i]->usable(request)))
		i++;
	return collectors[i];
}

void collect(const struct look_request *request, struct look *look, const struct collector **used)
{
	const struct collector *collector = choose(request);

	collector->collect(request, look);
	if (used)
		*used = collector;
}
