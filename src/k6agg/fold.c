/* SPDX-License-Identifier: MIT */
#include "k6agg/fold.h"

#include "data/keep.h"

static struct bucket_rule
rule_of(const struct settings *s)
{
	return (struct bucket_rule){
		.period_ns = settings_int(s, SET_PERIOD),
		.min_samples = settings_int(s, SET_MIN_SAMPLES),
		.skip_outliers = settings_bool(s, SET_SKIP_OUTLIERS),
		.fence = {
			.algo_threshold = settings_int(s, SET_ALGO_THRESHOLD),
			.radius = settings_real(s, SET_IQR_RADIUS),
			.coef_lower = settings_real(s, SET_IQR_COEF_LOWER),
			.coef_upper = settings_real(s, SET_IQR_COEF_UPPER),
		},
	};
}

void
folding_init(struct folding *f, const struct settings *s, struct out *out)
{
	*f = (struct folding){ .out = out, .buckets.rule = rule_of(s),
	    .calc_ns = settings_int(s, SET_CALC_INTERVAL),
	    .wait_ns = settings_int(s, SET_WAIT_PERIOD) };
}

void
folding_release(struct folding *f)
{
	trails_release(&f->trails);
	buckets_release(&f->buckets);
	buf_release(&f->packed);
	buf_release(&f->lines);
}

bool
folding_is_on(const struct folding *f)
{
	return f->buckets.rule.period_ns > 0;
}

/* Write lines as keep_pack packed them. */
static void
put_kept(void *ctx, struct span packed)
{
	struct folding *f = ctx;

	buf_reset(&f->lines);
	keep_unpack(&f->lines, packed);
	out_lines(f->out, buf_whole(&f->lines));
}

static void
put_aggregate(void *ctx, const struct aggregate *a)
{
	struct folding *f = ctx;

	out_aggregate(f->out, a);
}

static struct bucket_out
output_of(struct folding *f)
{
	return (struct bucket_out){ put_kept, put_aggregate, f };
}

/* Close what is due when the stream's clock stands at now_ns. */
static void
close_due(struct folding *f, int64_t now_ns)
{
	struct bucket_out out = output_of(f);

	buckets_close(&f->buckets, now_ns, f->wait_ns, &out);
}

/* The clock goes on with the latest time seen; due buckets are closed when it
 * passes a multiple of the calc interval. */
static void
advance_clock(struct folding *f, int64_t time_ns)
{
	int64_t tick;

	if (f->has_clock && time_ns <= f->clock_ns)
		return;
	tick = time_ns / f->calc_ns;
	if (f->has_clock && tick > f->tick)
		close_due(f, time_ns);
	f->tick = tick;
	f->clock_ns = time_ns;
	f->has_clock = true;
}

int64_t
folding_requests_of(const struct point *p)
{
	return p->value > 0 && p->value < 0x1p53 &&
	    span_is(p->metric->name, "http_reqs") ? (int64_t)p->value : 0;
}

static void
take_group(void *ctx, const struct group_out *g)
{
	struct folding *f = ctx;
	int i;

	if (g->kind == GROUP_TRAIL) {
		f->requests++;
		buf_reset(&f->packed);
		keep_pack(&f->packed, g->points, g->n);
		buckets_add(&f->buckets, &g->trail, buf_whole(&f->packed));
		return;
	}
	for (i = 0; i < g->n; i++)
		f->requests += folding_requests_of(&g->points[i]);
	out_lines(f->out, g->lines);
}

void
folding_add(struct folding *f, const struct point *p)
{
	advance_clock(f, p->time_ns);
	trails_add(&f->trails, p, take_group, f);
}

void
folding_idle(struct folding *f, int64_t silent_ns)
{
	if (f->has_clock)
		close_due(f, f->clock_ns + silent_ns);
}

bool
folding_is_empty(const struct folding *f)
{
	return f->buckets.n == 0 && f->trails.n == 0;
}

void
folding_end(struct folding *f)
{
	struct bucket_out out = output_of(f);

	trails_end(&f->trails, take_group, f);
	buckets_close_all(&f->buckets, &out);
}
