// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "top/state.h"

/* Saves the look that is shown as JSON in a new file of the working directory, and says its name.
 */
void save_look(struct top *top);
