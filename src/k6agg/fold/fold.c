/* SPDX-License-Identifier: MIT */
/* Points become requests, requests wait in buckets, buckets are written. */
#include "k6agg/fold/fold.h"

#include <stdlib.h>

#include "base/die.h"
#include "data/sample.h"
#include "data/stream.h"
#include "k6agg/fold/line_store.h"

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
folding_init(struct folding *f, const struct settings *s, struct out *out,
    int64_t max_series, size_t n_inputs)
{
	*f = (struct folding){ .out = out, .buckets.rule = rule_of(s),
	    .buckets.max_groups = (size_t)max_series,
	    .calc_ns = settings_int(s, SET_CALC_INTERVAL),
	    .wait_ns = settings_int(s, SET_WAIT_PERIOD),
	    .inputs = xcalloc(n_inputs, sizeof(f->inputs[0])),
	    .n_inputs = n_inputs };
}

void
folding_release(struct folding *f)
{
	size_t i;

	for (i = 0; i < f->n_inputs; i++)
		trails_release(&f->inputs[i].trails);
	free(f->inputs);
	buckets_release(&f->buckets);
	aggregates_release(&f->merged);
	buf_release(&f->lines);
}

bool
folding_is_on(const struct folding *f)
{
	return f->buckets.rule.period_ns > 0;
}

static void
put_outlier(void *ctx, struct line_store *kept, size_t place)
{
	struct folding *f = ctx;

	if (f->filter == NULL) {
		line_store_get(kept, place, out_open(f->out));
		out_added(f->out);
		return;
	}
	buf_reset(&f->lines);
	line_store_get(kept, place, &f->lines);
	f->filter(f->filter_ctx, buf_whole(&f->lines), true);
}

static void
put_aggregate(void *ctx, const struct aggregate *a)
{
	struct folding *f = ctx;

	out_aggregate(f->out, a);
}

/* No stream of the input has this number: the aggregate is our own. */
enum { OURS = UINT32_MAX };

static void
merge_own(void *ctx, const struct aggregate *a)
{
	struct folding *f = ctx;

	aggregates_add(&f->merged, a, OURS);
}

static bool
is_outlier(void *ctx, int64_t middle_ns, const struct tagset *tags,
    uint32_t source)
{
	struct folding *f = ctx;

	return aggregates_has(&f->merged, middle_ns,
	    f->buckets.rule.period_ns, tags, source);
}

static struct bucket_out
output_of(struct folding *f)
{
	if (f->is_merging)
		return (struct bucket_out){ put_outlier, merge_own, is_outlier,
		    f };
	return (struct bucket_out){ put_outlier, put_aggregate, NULL, f };
}

/* Close what is due when the stream's clock stands at now_ns. */
static void
close_due(struct folding *f, int64_t now_ns)
{
	struct bucket_out out = output_of(f);

	buckets_close(&f->buckets, now_ns, f->wait_ns, &out);
}

/* The stream's clock stands at now_ns: what is due is closed when it has
 * passed a multiple of the calc interval. */
static void
tick_to(struct folding *f, int64_t now_ns)
{
	int64_t tick = now_ns / f->calc_ns;

	if (f->has_clock && tick > f->tick)
		close_due(f, now_ns);
	f->tick = tick;
	if (!f->has_clock || now_ns > f->clock_ns)
		f->clock_ns = now_ns;
	f->has_clock = true;
}

struct fold_input *
folding_input(const struct folding *f)
{
	return &f->inputs[f->source];
}

/* The earliest clock of the inputs that are not at their end: nothing before
 * it is to come. False: not known yet, or none is left. */
static bool
earliest_clock(const struct folding *f, int64_t *ns)
{
	const struct fold_input *input = f->inputs;
	bool has_one = false;

	for (; input < f->inputs + f->n_inputs; input++) {
		if (input->is_at_end)
			continue;
		if (!input->has_clock)
			return false;
		if (!has_one || input->clock_ns < *ns)
			*ns = input->clock_ns;
		has_one = true;
	}
	return has_one;
}

static void
tick_merged(struct folding *f)
{
	int64_t clock_ns = 0;

	if (folding_is_on(f) && earliest_clock(f, &clock_ns))
		tick_to(f, clock_ns);
}

/* True if a time is so far behind the input's clock that another stream has
 * begun in it, as `cat a b` writes it. */
static bool
is_another_stream(const struct folding *f, const struct fold_input *input,
    int64_t time_ns)
{
	int64_t behind_ns;

	return f->is_merging && !__builtin_sub_overflow(input->clock_ns,
	    time_ns, &behind_ns) && behind_ns >= f->wait_ns + f->calc_ns +
	    f->buckets.rule.period_ns;
}

void
folding_note_time(struct folding *f, int64_t time_ns)
{
	if (!f->has_latest || time_ns < f->earliest_ns)
		f->earliest_ns = time_ns;
}

void
folding_advance(struct folding *f, int64_t time_ns)
{
	struct fold_input *input = folding_input(f);

	folding_note_time(f, time_ns);
	if (input->has_clock && time_ns <= input->clock_ns &&
	    !is_another_stream(f, input, time_ns))
		return;
	if (!f->has_latest || time_ns > f->latest_ns)
		f->latest_ns = time_ns;
	f->has_latest = true;
	input->clock_ns = time_ns;
	input->has_clock = true;
	if (f->is_merging)
		tick_merged(f);
	else
		tick_to(f, time_ns);
}

static void
warn_of_overflow(struct folding *f)
{
	if (f->buckets.overflowed == 0 || f->has_warned)
		return;
	f->has_warned = true;
	warnf("more than %zu tag set%s in a time bucket: the requests of "
	    "others are folded into one, named " BUCKET_OVERFLOW
	    " (--max-series)", f->buckets.max_groups,
	    f->buckets.max_groups == 1 ? "" : "s");
}

/* A generator's VUs: of another input they are others', and add up to them. */
static bool
is_of_generator(const struct folding *f, const struct point *p)
{
	return f->is_merging && f->n_inputs > 1 &&
	    (span_is(p->metric->name, "vus") ||
	    span_is(p->metric->name, "vus_max")) &&
	    tagset_find(p->tags, "instance") == NULL &&
	    tagset_find(p->tags, "instance_id") == NULL;
}

/* The lines of a group; VUs get a tag with the number of their input, so that
 * who reads the merged stream can sum them. */
static struct span
lines_of(struct folding *f, const struct group_out *g)
{
	const struct point *p = g->points;
	struct buf tags = { 0 };

	if (g->n != 1 || !is_of_generator(f, p))
		return group_lines(g, &f->lines);
	buf_printf(&tags, "{\"instance\":\"%u\"%s", f->source + 1,
	    p->tags->n > 0 ? "," : "");
	buf_add(&tags, p->tags->json.p + 1, p->tags->json.n - 1);
	buf_reset(&f->lines);
	stream_print_point(&f->lines, p->metric->name, p->time_ns, p->value,
	    buf_whole(&tags));
	buf_release(&tags);
	return buf_whole(&f->lines);
}

/* A complete group; for trails_add_all and trails_end. */
static void
add_group(void *ctx, const struct group_out *g)
{
	struct folding *f = ctx;
	int i;

	folding_advance(f, g->points[0].time_ns);
	if (g->kind == GROUP_TRAIL && folding_is_on(f)) {
		f->requests++;
		buckets_add(&f->buckets, &g->trail, f->source, g->points,
		    g->n);
		warn_of_overflow(f);
		return;
	}
	for (i = 0; i < g->n; i++)
		f->requests += point_requests(
		    g->points[i].metric->name, g->points[i].value);
	if (f->filter != NULL)
		f->filter(f->filter_ctx, lines_of(f, g), false);
	else
		out_lines(f->out, lines_of(f, g));
}

void
folding_points(struct folding *f, const struct point *points, int n)
{
	trails_add_all(&folding_input(f)->trails, points, n, add_group, f);
}

void
folding_part(struct folding *f)
{
	trails_end(&folding_input(f)->trails, add_group, f);
}

void
folding_input_end(struct folding *f)
{
	folding_part(f);
	folding_input(f)->is_at_end = true;
	if (f->is_merging)
		tick_merged(f);
}

bool
folding_settle(struct folding *f)
{
	bool is_empty = true;
	size_t i;

	for (i = 0; i < f->n_inputs; i++) {
		trails_settle(&f->inputs[i].trails);
		is_empty &= f->inputs[i].trails.n == 0;
	}
	return is_empty;
}

void
folding_take_kept(struct folding *f, const struct trail *t,
    const struct line_store *from, size_t place)
{
	folding_advance(f, t->time_ns);
	f->requests++;
	buckets_add_kept(&f->buckets, t, f->source, from, place);
	warn_of_overflow(f);
}

void
folding_pass(struct folding *f, struct span lines, int64_t requests)
{
	f->requests += requests;
	out_lines(f->out, lines);
}

void
folding_merge(struct folding *f, const struct aggregate *a)
{
	aggregates_add(&f->merged, a, f->source);
}

void
folding_idle(struct folding *f, int64_t silent_ns)
{
	if (f->has_clock)
		close_due(f, f->clock_ns + silent_ns);
}

void
folding_end(struct folding *f)
{
	struct bucket_out out = output_of(f);

	buckets_close_all(&f->buckets, &out);
	aggregates_each(&f->merged, put_aggregate, f);
}
