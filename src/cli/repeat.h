// SPDX-License-Identifier: Apache-2.0
/*
 * Repeat: looks at the same targets again and again, each at the cost of what changed since the
 * last. Whoever takes them decides when.
 */
#pragma once

#include "cli/options.h"
#include "model/process.h"

struct repeat;

/* No look is taken yet. @options are those of show; borrowed, they must outlive it. */
struct repeat *repeat_create(const struct options *options);

/*
 * Has the looks taken under @watch, which is over the thread that takes them: that is cheaper. To
 * be called before the first; borrowed.
 */
void repeat_watch(struct repeat *repeat, struct watch *watch);

/*
 * Takes the next look. It and all in it stay until the next call but one, so that the last can be
 * compared with this; never NULL. Targets given by name, and all processes, are resolved anew; what
 * can't be found is a gap of the look.
 */
const struct look *repeat_next(struct repeat *repeat);

/* Whether any process that is asked for lives, in whatever state its threads are, as the last look
 * found it. */
bool repeat_has_targets(const struct repeat *repeat);

void repeat_destroy(struct repeat *repeat);
