// SPDX-License-Identifier: Apache-2.0
/* Chain: on whom a thread waits, and on whom that one, and who waits on the thread in turn. */
#pragma once

#include "render/page.h"
#include "top/holder.h"

/* Writes both ways from the thread of @who, as far as @look goes. */
void links_put(struct page *page, const struct look *look, struct somebody who);
