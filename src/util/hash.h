// SPDX-License-Identifier: Apache-2.0
/* Hash: uthash as this program uses it. Running out of memory ends the program. */
#pragma once

#include "util/memory.h"

#define uthash_fatal(message) out_of_memory()
/* The default falls through the cases of a switch, which compilers warn of. */
#define HASH_FUNCTION HASH_FNV
#include <uthash.h>
