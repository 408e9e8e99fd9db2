/* SPDX-License-Identifier: MIT */
/* The same JSON, read back. */
#include "data/sample.h"

#include <math.h>

#include "base/num.h"
#include "base/total.h"
#include "base/units.h"
#include "data/metric.h"

static const char http_list[] = "http_req_li_all", iter_list[] = "iter_li_all";

/* The members of one sample as they were found, in any order. */
struct parts {
	struct span type, metric, data;		/* raw */
	struct span data_type, values, value;	/* raw JSON */
	struct span period, count;
	const struct tagset *tags;
	int64_t time_ns;
	bool has_time;
};

/* Time: a string of microseconds (a number is taken too). */
static bool
read_time(struct jsn *j, struct parts *p)
{
	struct span s;
	char text[24];
	int64_t us;

	if (jsn_peek(j) == '"' ? !jsn_text(j, &s) : !jsn_value(j, &s))
		return false;
	if (s.n >= sizeof(text))
		return jsn_fail(j, "time is not in microseconds");
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (!num_parse_int(text, INT64_MIN / NS_PER_US, INT64_MAX / NS_PER_US,
	    &us))
		return jsn_fail(j, "time is not in microseconds");
	p->time_ns = us * NS_PER_US;
	p->has_time = true;
	return true;
}

static bool
read_data(struct jsn *j, struct tags *tags, struct parts *p)
{
	struct span key;

	p->data.p = j->p;
	if (!jsn_enter(j, '{'))
		return false;
	while (jsn_plain_member(j, &key)) {
		if (span_is(key, "time"))
			(void)read_time(j, p);
		else if (span_is(key, "type"))
			(void)jsn_text(j, &p->data_type);
		else if (span_is(key, "tags"))
			p->tags = tags_read(tags, j);
		else if (span_is(key, "value"))
			(void)jsn_value(j, &p->value);
		else if (span_is(key, "values"))
			(void)jsn_value(j, &p->values);
		else if (span_is(key, "count"))
			(void)jsn_value(j, &p->count);
		else if (span_is(key, "period"))
			(void)jsn_text(j, &p->period);
		else
			(void)jsn_skip(j);
	}
	p->data.n = (size_t)(j->p - p->data.p);
	return j->error == NULL;
}

static bool
read_parts(struct jsn *j, struct tags *tags, struct parts *p)
{
	struct span key;

	*p = (struct parts){ 0 };
	if (!jsn_enter(j, '{'))
		return false;
	while (jsn_plain_member(j, &key)) {
		if (span_is(key, "type"))
			(void)jsn_text(j, &p->type);
		else if (span_is(key, "metric"))
			(void)jsn_text(j, &p->metric);
		else if (span_is(key, "data"))
			(void)read_data(j, tags, p);
		else
			(void)jsn_skip(j);
	}
	if (j->error != NULL)
		return false;
	if (p->data.p == NULL || p->metric.n == 0)
		return jsn_fail(j, "a sample without metric or data");
	if (!p->has_time)
		return jsn_fail(j, "a sample without time");
	if (p->tags == NULL)
		p->tags = tags_intern(tags, NULL, 0);
	return true;
}

/* A member that must be a number of milliseconds, as nanoseconds. */
static bool
read_ms(struct jsn *j, int64_t *ns)
{
	double ms;

	return jsn_number(j, &ms) && (num_ms_to_ns(ms, ns) ||
	    jsn_fail(j, "a time is out of range"));
}

static int
index_of(struct span key, const char *const *names, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (span_is(key, names[i]))
			return i;
	return -1;
}

static bool
parse_trail(const struct parts *p, struct trail *t, struct jsn *outer)
{
	struct jsn j = jsn_of(p->values);
	double v, reqs = 0;
	unsigned seen = 0;
	struct span key;
	int i;

	*t = (struct trail){ .time_ns = p->time_ns, .tags = p->tags,
	    .failed = -1 };
	(void)jsn_enter(&j, '{');
	while (jsn_plain_member(&j, &key)) {
		i = index_of(key, timing_names, TIMINGS);
		if (i >= 0) {
			(void)read_ms(&j, &t->ns[i]);
			seen |= 1U << i;
		} else if (span_is(key, "http_req_failed")) {
			if (jsn_number(&j, &v))
				t->failed = v != 0;
		} else if (span_is(key, "http_reqs")) {
			(void)jsn_number(&j, &reqs);
		} else {
			(void)jsn_skip(&j);
		}
	}
	if (j.error != NULL)
		return jsn_fail(outer, j.error);
	return (reqs == 1 && seen == (1U << TIMINGS) - 1) ||
	    jsn_fail(outer, "values are not those of one request");
}

static bool
parse_net(const struct parts *p, struct net_trail *t, struct jsn *outer)
{
	struct jsn j = jsn_of(p->values);
	unsigned seen = 0;
	struct span key;
	int i;

	*t = (struct net_trail){ .time_ns = p->time_ns, .tags = p->tags };
	(void)jsn_enter(&j, '{');
	while (jsn_plain_member(&j, &key)) {
		i = index_of(key, net_names, NET_VALUES);
		if (i < 0) {
			(void)jsn_skip(&j);
			continue;
		}
		(void)jsn_number(&j, &t->value[i]);
		seen |= 1U << i;
	}
	for (t->n = 0; (seen & 1U << t->n) != 0; t->n++)
		;
	if (j.error != NULL)
		return jsn_fail(outer, j.error);
	return (t->n >= 2 && seen == (1U << t->n) - 1) ||
	    jsn_fail(outer, "values are not those of one iteration");
}

/* A sum of milliseconds as nanoseconds, exactly if it can be told so. */
static bool
read_sum(struct jsn *j, __int128 *sum_ns)
{
	const char *text;
	double ms;

	(void)jsn_peek(j);
	text = j->p;
	if (!jsn_number(j, &ms))
		return false;
	if (!(fabs(ms) < 1e25))
		return jsn_fail(j, "a sum is out of range");
	if (total_parse(text, (size_t)(j->p - text), sum_ns))
		return true;
	*sum_ns = (__int128)rint(ms * 1e6);
	return true;
}

/* A timing of an aggregate. Without a histogram, as k6 sends it, the sum
 * follows from the average. */
static bool
parse_fold(struct jsn *j, struct fold *f, uint64_t count)
{
	struct hist_reader r = { .to = &f->hist };
	double avg = 0;
	__int128 sum_ns = -1;
	struct why why;
	struct span key;

	if (!jsn_enter(j, '{'))
		return false;
	while (jsn_plain_member(j, &key)) {
		if (span_is(key, "min")) {
			(void)read_ms(j, &f->min_ns);
		} else if (span_is(key, "max")) {
			(void)read_ms(j, &f->max_ns);
		} else if (span_is(key, "avg")) {
			(void)jsn_number(j, &avg);
		} else if (span_is(key, "hist") && jsn_enter(j, '{')) {
			while (jsn_plain_member(j, &key))
				if (span_is(key, "sum"))
					(void)read_sum(j, &sum_ns);
				else if (!hist_read(&r, j, key))
					(void)jsn_skip(j);
		} else {
			(void)jsn_skip(j);
		}
	}
	if (hist_read_end(&r, &why) < 0)
		return jsn_fail(j, "histogram: counters and spans do not fit");
	if (sum_ns < 0 && !(fabs(avg) < 1e25 / (double)count))
		return jsn_fail(j, "a sum is out of range");
	f->sum_ns = sum_ns >= 0 ? sum_ns
	    : (__int128)rint(avg * (double)count * 1e6);
	if (hist_count(&f->hist) != 0 && hist_count(&f->hist) != count)
		return jsn_fail(j, "histogram: does not add up to count");
	return f->min_ns <= f->max_ns || jsn_fail(j, "min is above max");
}

/* Both ends of the bucket are times, too. */
static bool
parse_period(const struct parts *p, int64_t *period_ns)
{
	char text[DURATION_TEXT] = "";
	int64_t end_ns;

	if (p->period.n == 0)
		return true;
	if (p->period.n >= sizeof(text))
		return false;
	memcpy(text, p->period.p, p->period.n);
	return duration_parse(text, period_ns) && *period_ns >= 0 &&
	    !__builtin_add_overflow(p->time_ns, *period_ns, &end_ns) &&
	    !__builtin_sub_overflow(p->time_ns, *period_ns, &end_ns);
}

static bool
parse_failed(struct jsn *j, struct aggregate *a)
{
	double count = 0, nonzero = 0;
	struct span key;

	if (!jsn_enter(j, '{'))
		return false;
	while (jsn_plain_member(j, &key)) {
		if (span_is(key, "count"))
			(void)jsn_number(j, &count);
		else if (span_is(key, "nz_count"))
			(void)jsn_number(j, &nonzero);
		else
			(void)jsn_skip(j);
	}
	if (!(count >= 0 && count <= (double)a->count && nonzero >= 0 &&
	    nonzero <= count) || count != floor(count) ||
	    nonzero != floor(nonzero))
		return jsn_fail(j, "http_req_failed does not fit count");
	a->failed_count = (uint64_t)count;
	a->failed_nonzero = (uint64_t)nonzero;
	return true;
}

static bool
parse_aggregate(const struct parts *p, struct aggregate *a,
    struct jsn *outer)
{
	struct jsn j = jsn_of(p->values);
	unsigned seen = 0;
	struct span key;
	double count;
	int i;

	if (p->count.n == 0 || num_parse(p->count.p, p->count.n, &count) !=
	    p->count.n || !(count >= 1 && count <= 0x1p53) ||
	    count != floor(count))
		return jsn_fail(outer, "an aggregate without count");
	a->time_ns = p->time_ns;
	a->tags = p->tags;
	a->count = (uint64_t)count;
	if (!parse_period(p, &a->period_ns))
		return jsn_fail(outer, "not a period, or out of range");
	(void)jsn_enter(&j, '{');
	while (jsn_plain_member(&j, &key)) {
		i = index_of(key, timing_names, TIMINGS);
		if (i >= 0) {	/* of equal names the last counts */
			hist_release(&a->timing[i].hist);
			(void)parse_fold(&j, &a->timing[i], a->count);
			seen |= 1U << i;
		} else if (span_is(key, "http_req_failed")) {
			(void)parse_failed(&j, a);
		} else {
			(void)jsn_skip(&j);
		}
	}
	if (j.error != NULL)
		return jsn_fail(outer, j.error);
	return seen == (1U << TIMINGS) - 1 ||
	    jsn_fail(outer, "an aggregate lacks a timing");
}

/* A point of its own. name holds the name of its metric if that has escapes. */
static bool
parse_point(const struct parts *p, struct buf *name, struct sample *s,
    struct jsn *outer)
{
	if (!metric_type_parse(p->data_type, &s->type))
		return jsn_fail(outer, "unknown metric type");
	if (p->value.n == 0 || num_parse(p->value.p, p->value.n, &s->value) !=
	    p->value.n)
		return jsn_fail(outer, "a value is not a number");
	s->metric = jsn_plain(name, p->metric);
	return metric_is_name(s->metric) ||
	    jsn_fail(outer, "bad metric name");
}

static int
parse_one(struct jsn *j, struct tags *tags, sample_each *each, void *ctx)
{
	struct aggregate aggregate = { 0 };
	struct net_trail net;
	struct trail trail;
	struct parts p;
	struct sample s = { 0 };
	struct buf name = { 0 };
	bool is_good;
	int status;

	if (!read_parts(j, tags, &p))
		return -1;
	s.tags = p.tags;
	s.time_ns = p.time_ns;
	s.trail = &trail;
	s.net = &net;
	s.aggregate = &aggregate;
	if (span_is(p.type, "Point")) {
		s.kind = SAMPLE_POINT;
		is_good = parse_point(&p, &name, &s, j);
	} else if (span_is(p.type, "Points") &&
	    span_is(p.metric, http_list)) {
		s.kind = SAMPLE_TRAIL;
		is_good = parse_trail(&p, &trail, j);
	} else if (span_is(p.type, "Points") &&
	    span_is(p.metric, iter_list)) {
		s.kind = SAMPLE_NET;
		is_good = parse_net(&p, &net, j);
	} else if (span_is(p.type, "AggregatedPoints")) {
		s.kind = SAMPLE_AGGREGATE;
		is_good = parse_aggregate(&p, &aggregate, j);
	} else {
		is_good = jsn_fail(j, "unknown type of sample");
	}
	status = is_good ? each(ctx, &s) : -1;
	aggregate_release(&aggregate);
	buf_release(&name);
	return status;
}

int
sample_parse(struct jsn *j, struct tags *tags, sample_each *each, void *ctx,
    struct why *why)
{
	int status = parse_one(j, tags, each, ctx);

	if (j->error != NULL)
		return why_set(why, "%s (byte %zu)", j->error,
		    jsn_column(j));
	return status;
}

/* More bytes than any token that a window can cut without its cursor being
 * at the very end. */
enum { NEAR_END = 16 };

static int
feed_why(const struct sample_reader *r, const struct jsn *j, struct why *why)
{
	return why_set(why, "%s (byte %zu)", j->error, r->read +
	    jsn_column(j));
}

/* Read the samples that stand at the cursor, which is left where the next one,
 * not whole yet, begins. */
static int
read_whole(struct sample_reader *r, struct jsn *j, bool is_last,
    struct why *why)
{
	struct jsn mark;
	int status = 0;

	j->depth = 1;
	j->is_first = r->at == READER_FIRST;
	for (;;) {
		mark = *j;
		if (jsn_element(j)) {
			status = parse_one(j, r->tags, r->each, r->ctx);
		} else if (j->error == NULL) {
			r->at = READER_OVER;
			return 0;
		}
		if (j->error == NULL && status != 0)
			return status;
		if (j->error == NULL)
			continue;
		if (is_last || j->end - j->p >= NEAR_END)
			return feed_why(r, j, why);
		*j = mark;
		r->at = mark.is_first ? READER_FIRST : READER_INSIDE;
		return 0;
	}
}

int
sample_feed(struct sample_reader *r, struct span window, bool is_last,
    size_t *used, struct why *why)
{
	struct jsn j = jsn_of(window);
	int status = 0;

	*used = 0;
	if (r->at == READER_BEFORE && (jsn_peek(&j) != '\0' || is_last)) {
		if (!jsn_enter(&j, '['))
			return feed_why(r, &j, why);
		r->at = READER_FIRST;
	}
	if (r->at == READER_FIRST || r->at == READER_INSIDE)
		status = read_whole(r, &j, is_last, why);
	if (status == 0 && r->at == READER_OVER && !jsn_done(&j))
		return feed_why(r, &j, why);
	*used = (size_t)(j.p - j.start);
	r->read += *used;
	return status;
}

int
sample_parse_all(struct span body, struct tags *tags, sample_each *each,
    void *ctx, struct why *why)
{
	struct sample_reader r = { .tags = tags, .each = each, .ctx = ctx };
	size_t used;

	return sample_feed(&r, body, true, &used, why);
}
