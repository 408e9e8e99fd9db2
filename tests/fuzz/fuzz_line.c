/* SPDX-License-Identifier: MIT */
/*
 * Any bytes, split into lines, through one stream: it must not crash. Three
 * readers must agree on each line: the stream that has seen lines before, the
 * same stream once more, a new stream. What they take, jansson must take.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "data/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* jansson wants a time and a place to say no for reasons of its own: integers
 * past 64 bits, NUL in keys, lone surrogates. */
static bool
is_known_difference(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_numeric_overflow:
	case json_error_null_byte_in_key:
	case json_error_null_character:
		return true;
	case json_error_invalid_syntax:
		return strstr(error->text, "invalid Unicode '") != NULL;
	default:
		return false;
	}
}

static void
must_be_json(struct span text)
{
	json_error_t error;
	json_t *root = json_loadb(text.p, text.n, JSON_ALLOW_NUL, &error);

	if (root == NULL && !is_known_difference(&error))
		abort();
	json_decref(root);
}

static void
must_be_same(const struct line *a, const struct line *b)
{
	if (a->type != b->type)
		abort();
	if (a->type == LINE_POINT && (a->point.time_ns != b->point.time_ns ||
	    memcmp(&a->point.value, &b->point.value,
	    sizeof(a->point.value)) != 0 ||
	    !span_equal(a->point.metric->name, b->point.metric->name) ||
	    !span_equal(a->point.tags->json, b->point.tags->json) ||
	    a->point.has_metadata != b->point.has_metadata))
		abort();
}

static void
one_line(struct stream *s, struct span text)
{
	struct stream fresh = { 0 };
	struct line first, again, alone;
	struct why why = { "" };

	(void)stream_read(s, text, &first, &why);
	if (first.type == LINE_BAD && why.text[0] == '\0')
		abort();
	(void)stream_read(s, text, &again, &why);
	must_be_same(&first, &again);
	/* A Metric line may be bad only for what came before it. */
	(void)stream_read(&fresh, text, &alone, &why);
	if (alone.type != LINE_METRIC)
		must_be_same(&first, &alone);
	if (first.type != LINE_BAD && first.type != LINE_BLANK)
		must_be_json(text);
	stream_release(&fresh);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data, *end = p + n, *newline;
	struct stream s = { 0 };
	char *copy;

	while (p < end) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			newline = end;
		/* memory of its own, so that a look past its end is found */
		copy = xmalloc((size_t)(newline - p) + 1);
		memcpy(copy + 1, p, (size_t)(newline - p));
		one_line(&s, (struct span){ copy + 1, (size_t)(newline - p) });
		free(copy);
		p = newline + 1;
	}
	stream_release(&s);
	return 0;
}
