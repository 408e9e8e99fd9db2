/* SPDX-License-Identifier: MIT */
/* The inputs: in turn, or with --merge side by side by their clocks. */
#include "k6agg/read/source.h"

#include <stdlib.h>

#include "base/die.h"
#include "io/gz.h"
#include "io/zst.h"

static const struct codec *const codecs[] = { &gz_codec, &zst_codec, NULL };

void
sources_init(struct sources *s, char *const *files, int n_files,
    struct folding *f)
{
	size_t i;

	s->n = f->n_inputs;
	s->are_many = n_files > 1;
	s->list = xcalloc(s->n, sizeof(s->list[0]));
	for (i = 0; i < s->n; i++) {
		lines_init(&s->list[i].in, files + i, s->n > 1 ? 1 : n_files);
		s->list[i].in.codecs = codecs;
		s->list[i].input = &f->inputs[i];
	}
	s->at = s->list;
}

void
sources_release(struct sources *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		lines_release(&s->list[i].in);
	free(s->list);
	*s = (struct sources){ 0 };
}

/* One of which no time is known comes before all others. */
static bool
is_behind(const struct fold_input *a, const struct fold_input *b)
{
	if (!a->has_clock || !b->has_clock)
		return !a->has_clock && b->has_clock;
	return a->clock_ns < b->clock_ns;
}

struct source *
sources_next(struct sources *s, int64_t slack_ns, int64_t *limit_ns)
{
	struct source *first = NULL, *second = NULL, *source;
	size_t i;

	for (i = 0; i < s->n; i++) {
		source = &s->list[i];
		if (source->input->is_at_end)
			continue;
		if (first == NULL || is_behind(source->input,
		    first->input)) {
			second = first;
			first = source;
		} else if (second == NULL || is_behind(source->input,
		    second->input)) {
			second = source;
		}
	}
	if (first != NULL)
		s->at = first;
	*limit_ns = INT64_MAX;
	if (second != NULL && (!second->input->has_clock ||
	    __builtin_add_overflow(second->input->clock_ns, slack_ns,
	    limit_ns)))
		*limit_ns = INT64_MIN;
	return first;
}

void
source_file_end(struct source *s)
{
	/* The last line of an array is a line of the stream. */
	if (s->bad > 0 && (s->good == 0 || (s->hint != NULL &&
	    s->good < s->bad))) {
		warnf("%s: %s of the input belongs to the stream%s%s",
		    s->in.name, s->good == 0 ? "no line" : "hardly any line",
		    s->hint != NULL ? "; it looks like " : "",
		    s->hint != NULL ? s->hint : "");
		s->in.n_failed++;
	} else {
		s->good_before += s->good;
	}
	s->good = s->bad = 0;
	s->hint = NULL;
}

bool
sources_have_any(const struct sources *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->list[i].good_before + s->list[i].good > 0)
			return true;
	return false;
}

const char *
sources_name(const struct sources *s)
{
	return s->are_many ? "the input" : s->at->in.name;
}

const char *
sources_cut(const struct sources *s, bool lacks_end)
{
	const struct run_cuts *c;
	size_t i;

	for (i = 0; i < s->n; i++) {
		c = &s->list[i].cuts;
		if (lacks_end && c->start_input != NULL)
			return c->start_input;
		if (!lacks_end && c->end_input != NULL)
			return c->end_input;
	}
	return sources_name(s);
}

int
sources_failed(const struct sources *s)
{
	int n = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		n += s->list[i].in.n_failed;
	return n;
}
