// SPDX-License-Identifier: Apache-2.0
#include "top/interval.h"

#include <stdio.h>

#include "util/clock.h"

bool interval_parse(const char *string, int64_t *ns)
{
	int64_t value = 0, place = NS_PER_SECOND;
	bool any = false, fraction = false;

	/* digit by digit: what strtod() takes for the point depends on the locale */
	for (; *string; string++) {
		if (*string == '.' && !fraction) {
			fraction = true;
			continue;
		}
		if (*string < '0' || *string > '9' || value > 3600 * NS_PER_SECOND)
			return false;
		any = true;
		if (fraction)
			value += (*string - '0') * (place /= 10);
		else
			value = value * 10 + (*string - '0') * NS_PER_SECOND;
	}
	if (!any || value < NS_PER_SECOND / 10 || value > 3600 * NS_PER_SECOND)
		return false;
	*ns = value;
	return true;
}

void interval_format(int64_t ns, char text[INTERVAL_SIZE])
{
	int64_t ms = ns / NS_PER_MS;
	int length = snprintf(text, INTERVAL_SIZE, "%d.%03d", (int)(ms / 1000), (int)(ms % 1000));

	while (text[length - 1] == '0')
		text[--length] = '\0';
	if (text[length - 1] == '.')
		text[length - 1] = '\0';
}
