// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "top/state.h"

/* Puts on the screen all that the user is to see now. */
void draw(const struct top *top);
