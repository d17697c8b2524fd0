// SPDX-License-Identifier: Apache-2.0
#include "collect/hidepid.h"

#include <fcntl.h>
#include <string.h>

#include "collect/scan.h"
#include "util/file.h"

#define MOUNTINFO_LIMIT (16 * 1024 * 1024)

/* The next field of a line of fields between single blanks. */
static struct scan take_field(struct scan *line)
{
	const char *blank = scan_left(line) ? memchr(line->at, ' ', scan_left(line)) : NULL;
	struct scan field = {line->at, blank ? blank : line->end};

	line->at = blank ? blank + 1 : line->end;
	return field;
}

static bool field_is(struct scan field, const char *text)
{
	return scan_literal(&field, text) && field.at == field.end;
}

static bool options_hide(struct scan options)
{
	while (options.at < options.end) {
		if (scan_literal(&options, "hidepid="))
			return scan_left(&options) && !scan_literal(&options, "0") &&
			       !scan_literal(&options, "off");
		const char *comma = memchr(options.at, ',', scan_left(&options));
		options.at = comma ? comma + 1 : options.end;
	}
	return false;
}

bool hidepid_parse(const char *mountinfo, size_t length)
{
	struct scan scan = scan_bytes(mountinfo, length), line;
	bool hides = false;

	/* id, parent, device, root, mount point, options, optional fields, "-", type, source, the
	 * file system's options: proc_pid_mountinfo(5). A later mount covers an earlier one. */
	while (scan_line(&scan, &line)) {
		for (int i = 0; i < 4; i++)
			take_field(&line);
		if (!field_is(take_field(&line), "/proc"))
			continue;
		while (line.at < line.end && !field_is(take_field(&line), "-"))
			;
		if (!field_is(take_field(&line), "proc"))
			continue;
		take_field(&line);
		hides = options_hide(line);
	}
	return hides;
}

bool hidepid_hides(void)
{
	struct text text cleanup_text = {0};

	return !failed(file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text)) &&
	       text.length && hidepid_parse(text.bytes, text.length);
}
