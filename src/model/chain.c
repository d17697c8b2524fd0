// SPDX-License-Identifier: Apache-2.0
#include "model/chain.h"

#include "model/process.h"

const struct wait *holder_wait(const struct holder *holder)
{
	if (holder->task)
		return holder->task->wait;
	return holder->thread ? holder->thread->wait : NULL;
}

static bool was_seen(const struct chain *chain, const struct wait *wait)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->seen[i] == wait)
			return true;
	}
	return false;
}

bool chain_closes(const struct chain *chain)
{
	return chain->wait && was_seen(chain, chain->wait);
}

const struct holder *chain_next(struct chain *chain)
{
	const struct wait *wait = chain->wait;

	if (!wait || !wait->followed || chain->count == CHAIN_MAX)
		return NULL;
	if (was_seen(chain, wait)) {
		chain->returns = true;
		return NULL;
	}
	chain->seen[chain->count++] = wait;
	chain->wait = holder_wait(wait->followed);
	return wait->followed;
}
