// SPDX-License-Identifier: Apache-2.0
#include "util/error.h"

#include <string.h>

struct error error_errno(int number)
{
	const char *reason = strerrordesc_np(number);

	return (struct error){.reason = reason ? reason : "unknown error", .number = number};
}
