/* SPDX-License-Identifier: MIT */
/* Refused samples, by series, until a later one of the series is accepted. */
#include "k6push/send/superseded.h"

#include <stdlib.h>

#include "k6push/wire/wire_rw.h"

/* A series of which something was refused. */
struct refused_series {
	struct span key;	/* bytes are owned */
	struct amount amount;	/* of it, since a sample was taken */
	bool is_open;		/* there was such a sample */
};

struct refused_batch {
	struct journal_batch id;
	const struct refused_series *only;	/* NULL: it has several */
};

/* What a batch does to the series. */
struct pass {
	struct superseded *s;
	const struct refused_series *last;
	size_t n;		/* series of the batch */
	struct amount taken;
	bool is_closed;		/* a series is open no more */
};

void
superseded_release(struct superseded *s)
{
	struct refused_series *series;
	size_t at = 0;

	while ((series = map_next(&s->by_key, &at)) != NULL) {
		free((void *)(uintptr_t)series->key.p);
		free(series);
	}
	map_release(&s->by_key);
	free(s->batches);
	*s = (struct superseded){ 0 };
}

static void
hold_series(void *ctx, struct span key, const struct rw_share *share)
{
	struct pass *pass = ctx;
	struct refused_series *series = map_get(&pass->s->by_key, key);

	if (series == NULL) {
		series = xcalloc(1, sizeof(*series));
		series->key = (struct span){ xstrndup(key.p, key.n), key.n };
		map_put(&pass->s->by_key, series->key, series);
	}
	pass->s->n_open += !series->is_open;
	series->is_open = true;
	series->amount.points += share->points;
	series->amount.requests += share->requests;
	pass->last = series;
	pass->n++;
}

void
superseded_hold(struct superseded *s, const struct batch *p, struct span kept)
{
	struct pass pass = { .s = s };
	struct why why;

	/* One that is damaged has no series that are told of later. */
	if (p->id.format != wire_rw.format ||
	    rw_each_series(kept, hold_series, &pass, &why) < 0 || pass.n == 0)
		return;
	s->batches = xgrow(s->batches, s->n, &s->cap, sizeof(*s->batches));
	s->batches[s->n++] = (struct refused_batch){ p->id,
	    pass.n == 1 ? pass.last : NULL };
}

static void
take_series(void *ctx, struct span key, const struct rw_share *share)
{
	struct pass *pass = ctx;
	struct refused_series *series = map_get(&pass->s->by_key, key);

	(void)share;
	if (series == NULL || !series->is_open)
		return;
	pass->taken.points += series->amount.points;
	pass->taken.requests += series->amount.requests;
	series->amount = (struct amount){ 0 };
	series->is_open = false;
	pass->s->n_open--;
	pass->is_closed = true;
}

/* Those of one series go with that, the others when none is open. */
static void
end_batches(struct superseded *s, superseded_done *done, void *ctx)
{
	struct refused_batch *b;
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		b = &s->batches[i];
		if (s->n_open == 0 || (b->only != NULL && !b->only->is_open))
			done(ctx, &b->id);
		else
			s->batches[n++] = *b;
	}
	s->n = n;
}

struct amount
superseded_take(struct superseded *s, const struct batch *p, struct span kept,
    superseded_done *done, void *ctx)
{
	struct pass pass = { .s = s };
	struct why why;

	if (s->n_open == 0 || p->id.format != wire_rw.format ||
	    (p->id.flags & RW_MARKS) != 0)
		return pass.taken;
	(void)rw_each_series(kept, take_series, &pass, &why);
	if (pass.is_closed)
		end_batches(s, done, ctx);
	return pass.taken;
}
