// SPDX-License-Identifier: Apache-2.0
#include "render/group_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/stack_text.h"

#define ID_RUNS_MAX 48 /* about four lines */
#define WAITS_SHOWN 3

/* The end of the run of consecutive ids that begins at @first. */
static size_t id_run_end(const uint64_t *ids, size_t count, size_t first)
{
	size_t last = first;

	while (last + 1 < count && ids[last + 1] == ids[last] + 1)
		last++;
	return last;
}

/* The next ids of a group, "4243" or "4243–4247", from @first on. Returns where to go on. */
static size_t append_run(struct text *text, const uint64_t *ids, size_t count, size_t first)
{
	size_t last = id_run_end(ids, count, first);

	text_append_format(text, "%" PRIu64, ids[first]);
	if (last == first + 1)
		last = first;
	if (last > first)
		text_append_format(text, "–%" PRIu64, ids[last]);
	if (last + 1 < count)
		text_append(text, ",");
	return last + 1;
}

bool ids_append(struct text *text, const uint64_t *ids, size_t count, size_t columns)
{
	size_t begin = text->length;

	for (size_t i = 0; i < count;) {
		size_t length = text->length;

		text_append(text, i ? " " : "");
		i = append_run(text, ids, count, i);
		if (text_columns(text->bytes + begin) <= columns)
			continue;
		if (length > begin) {
			text->length = length;
			text->bytes[length] = '\0';
		}
		return false;
	}
	return true;
}

/* Ids are for finding a thread again: a screenful of them only hides the stack below. */
void ids_put(struct page *page, const char *label, const uint64_t *ids, size_t count)
{
	struct text item cleanup_text = {0};
	size_t i = 0;

	label_put(page, label);
	for (size_t run = 0; i < count && run < ID_RUNS_MAX; run++) {
		text_clear(&item);
		i = append_run(&item, ids, count, i);
		page_wrap(page, CONTENT_COLUMN, STYLE_PLAIN, item.bytes);
	}
	if (i < count) {
		text_clear(&item);
		text_append_format(&item, "… and %zu more (--no-group shows each)", count - i);
		page_wrap(page, CONTENT_COLUMN, STYLE_PLAIN, item.bytes);
	}
	page_end(page);
}

static int compare_words(const void *left, const void *right)
{
	const struct word_count *a = left, *b = right;

	return a->word == b->word ? 0 : strcmp(a->word, b->word);
}

static int compare_counts(const void *left, const void *right)
{
	const struct word_count *a = left, *b = right;

	return a->count == b->count ? compare_words(left, right) : a->count < b->count ? 1 : -1;
}

size_t words_add_up(struct word_count *words, size_t count)
{
	size_t different = 0;

	if (!count)
		return 0;
	qsort(words, count, sizeof(*words), compare_words);
	for (size_t i = 0; i < count; i++) {
		if (different && compare_words(&words[different - 1], &words[i]) == 0)
			words[different - 1].count += words[i].count;
		else
			words[different++] = words[i];
	}
	qsort(words, different, sizeof(*words), compare_counts);
	return different;
}

static int compare_waits(const void *left, const void *right)
{
	const struct shared_wait *a = left, *b = right;
	int order = a->sentence == b->sentence ? 0 : strcmp(a->sentence, b->sentence);

	return order ? order : (a->first > b->first) - (a->first < b->first);
}

static int compare_shared(const void *left, const void *right)
{
	const struct shared_wait *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return (a->first > b->first) - (a->first < b->first);
}

void waits_put(struct page *page, struct shared_wait *waits, size_t count, const char *noun)
{
	size_t different = 0;

	if (!count)
		return;
	qsort(waits, count, sizeof(*waits), compare_waits);
	for (size_t i = 0; i < count; i++) {
		if (different && strcmp(waits[different - 1].sentence, waits[i].sentence) == 0)
			waits[different - 1].count++;
		else
			waits[different++] = waits[i];
	}
	qsort(waits, different, sizeof(*waits), compare_shared);
	for (size_t i = 0; i < different && i < WAITS_SHOWN; i++) {
		page_pad(page, LABEL_COLUMN, 0);
		page_put(page, STYLE_STRONG, waits[i].sentence);
		if (waits[i].count == 1)
			page_format(page, STYLE_DIM, "   (%s %" PRIu64 ")", noun, waits[i].first);
		else
			page_format(page, STYLE_DIM, "   (%zu %ss, %" PRIu64 " the first)",
				waits[i].count, noun, waits[i].first);
		page_end(page);
	}
	if (different > WAITS_SHOWN) {
		page_pad(page, LABEL_COLUMN, 0);
		page_format(page, STYLE_DIM,
			"… %zu other waits of this kind: --no-group shows them",
			different - WAITS_SHOWN);
		page_end(page);
	}
}

/* Whether @sentence names the process already, as words of ours do: "cat (pid 7)". */
static bool names_process(const char *sentence, pid_t pid)
{
	char words[sizeof("(pid )") + 11];

	snprintf(words, sizeof(words), "(pid %d)", pid);
	return sentence && strstr(sentence, words);
}

void holders_put(
	struct page *page, const struct process *process, const struct wait *wait, const char *call)
{
	const char *label = "on";

	for (size_t i = 0; i < wait->holder_count; i++) {
		const struct holder *holder = &wait->holders[i];
		bool is_own = holder->pid == process->pid;
		bool is_goroutine = holder->goroutine && is_own;

		/* That others of the process can end the wait tells people nothing. */
		if (is_own && !holder->tid && !holder->goroutine && wait->holders_complete)
			continue;
		if (!is_goroutine && (names_process(wait->sentence, holder->pid) ||
					     names_process(call, holder->pid)))
			continue;
		label_put(page, label);
		if (!is_goroutine)
			page_format(page, STYLE_PLAIN, "pid %d%s", holder->pid,
				holder->goroutine || holder->tid ? " " : "");
		if (holder->goroutine)
			page_format(page, STYLE_PLAIN, "goroutine %" PRIu64, holder->goroutine);
		else if (holder->tid)
			page_format(page, STYLE_PLAIN, "thread %d", holder->tid);
		page_format(page, STYLE_PLAIN, ": %s", holder->text);
		page_end(page);
		label = "";
	}
}
