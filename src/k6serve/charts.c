/* SPDX-License-Identifier: MIT */
#include "k6serve/charts.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "data/tags.h"

/* From least to greatest; nothing of it is known of an empty one. */
static void
put_stats(struct json_out *o, const struct sink *s, const char *median)
{
	bool is_empty = s->count == 0;

	json_member_number(o, "min", is_empty ? NAN : s->min);
	json_member_number(o, "avg", is_empty ? NAN : sink_avg(s));
	json_member_number(o, median, is_empty ? NAN : sink_quantile(s, 0.5));
	json_member_number(o, "p90", is_empty ? NAN : sink_quantile(s, 0.9));
	json_member_number(o, "p95", is_empty ? NAN : sink_quantile(s, 0.95));
	json_member_number(o, "p99", is_empty ? NAN : sink_quantile(s, 0.99));
	json_member_number(o, "max", is_empty ? NAN : s->max);
}

void
put_trend(struct json_out *o, const struct sink *s, const char *median)
{
	json_member_int(o, "count", (int64_t)s->count);
	put_stats(o, s, median);
}

/* What a chart shows of one step of time. */
enum curve { CURVE_REQS, CURVE_FAILED, CURVE_DURATION, CURVE_ITERATIONS,
	CURVE_SENT, CURVE_RECEIVED, CURVE_CUSTOM, CURVES };

static const char *const curve_metrics[CURVE_CUSTOM] = { "http_reqs",
	"http_req_failed", "http_req_duration", "iterations", "data_sent",
	"data_received" };

struct step {
	int64_t t;		/* its first second */
	struct sink curve[CURVES];
	double vus;		/* NAN: not known */
};

/* All steps of a run, by time. */
struct steps {
	struct app *app;
	int64_t run, length;	/* seconds in a step */
	struct map by_time;
	enum curve curve;	/* the one that is read */
	int64_t vus_second;	/* while VUs are read: this second, */
	double vus_sum;		/* and all generators' together */
};

static int64_t
start_of(int64_t second, int64_t length)
{
	int64_t rest = second % length;

	return second - rest - (rest < 0 ? length : 0);
}

static struct step *
step_at(struct steps *all, int64_t second)
{
	int64_t t = start_of(second, all->length);
	struct step *step = map_get(&all->by_time,
	    (struct span){ (const char *)&t, sizeof(t) });

	if (step != NULL)
		return step;
	step = xcalloc(1, sizeof(*step));
	step->t = t;
	step->vus = NAN;
	map_put(&all->by_time, (struct span){ (const char *)&step->t,
	    sizeof(step->t) }, step);
	return step;
}

static int
fill_curve(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	struct step *step = step_at(all, row->second);
	struct sink *sink = &step->curve[all->curve];

	sink->type = row->type;
	sink_merge(sink, row->sink);
	return 0;
}

/* Each generator has its own series of VUs: they add up within a second, and
 * the most of a step's seconds counts. */
static int
fill_vus(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	struct step *step = step_at(all, row->second);

	if (row->second != all->vus_second)
		all->vus_sum = 0;
	all->vus_second = row->second;
	all->vus_sum += row->sink->last;
	if (isnan(step->vus) || all->vus_sum > step->vus)
		step->vus = all->vus_sum;
	return 0;
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = (*(struct step *const *)a)->t;
	int64_t y = (*(struct step *const *)b)->t;

	return (x > y) - (x < y);
}

static void
step_free(struct step *step)
{
	int i;

	for (i = 0; i < CURVES; i++)
		sink_release(&step->curve[i]);
	free(step);
}

static void
put_step(struct json_out *o, const struct step *s)
{
	json_open(o, '{');
	json_member_int(o, "t", s->t);
	json_member_number(o, "http_reqs", s->curve[CURVE_REQS].sum);
	json_member_int(o, "failed", (int64_t)s->curve[CURVE_FAILED].nonzero);
	json_member_number(o, "vus", s->vus);
	json_member_number(o, "iterations", s->curve[CURVE_ITERATIONS].sum);
	json_member_number(o, "data_sent", s->curve[CURVE_SENT].sum);
	json_member_number(o, "data_received", s->curve[CURVE_RECEIVED].sum);
	json_key(o, "http_req_duration");
	json_open(o, '{');
	put_trend(o, &s->curve[CURVE_DURATION], "p50");
	json_close(o, '}');
	json_close(o, '}');
}

/* A metric that the caller named, by its type. */
static void
put_custom(struct json_out *o, const struct step *step)
{
	const struct sink *s = &step->curve[CURVE_CUSTOM];

	json_open(o, '{');
	json_member_int(o, "t", step->t);
	json_member_text(o, "type", span_of(metric_type_name(s->type)));
	if (s->type == METRIC_TREND) {
		put_trend(o, s, "p50");
	} else {
		json_member_int(o, "count", (int64_t)s->count);
		json_member_int(o, "nonzero", (int64_t)s->nonzero);
		json_member_number(o, "min", s->min);
		json_member_number(o, "avg", sink_avg(s));
		json_member_number(o, "max", s->max);
	}
	json_member_number(o, "sum", s->sum);
	json_member_number(o, "last", s->last);
	json_close(o, '}');
}

/* Write all steps in order, and free them. */
static void
put_steps(struct json_out *o, struct steps *all,
    void (*put)(struct json_out *o, const struct step *s))
{
	struct step **sorted = xcalloc(all->by_time.n, sizeof(*sorted));
	size_t at = 0, i, n = 0;

	while (n < all->by_time.n)
		sorted[n++] = map_next(&all->by_time, &at);
	if (n != 0)
		qsort(sorted, n, sizeof(*sorted), by_time);
	json_open(o, '[');
	for (i = 0; i < n; i++) {
		put(o, sorted[i]);
		step_free(sorted[i]);
	}
	json_close(o, ']');
	free(sorted);
	map_release(&all->by_time);
}

static int
read_step_length(void *ctx, const struct store_run *run)
{
	((struct steps *)ctx)->length = run->step_s;
	return 0;
}

static int
read_overview(struct steps *all, struct why *why)
{
	struct store_query q = { .run = all->run, .is_whole = true };
	int i;

	for (i = 0; i < CURVE_CUSTOM; i++) {
		all->curve = (enum curve)i;
		q.metric = curve_metrics[i];
		if (store_points(all->app->store, &q, fill_curve, all, why) < 0)
			return -1;
	}
	q.metric = "vus";
	q.is_whole = false;
	return store_points(all->app->store, &q, fill_vus, all, why);
}

static int
read_custom(struct steps *all, const char *metric, struct why *why)
{
	struct store_query q = { all->run, metric, true };

	all->curve = CURVE_CUSTOM;
	return store_points(all->app->store, &q, fill_curve, all, why);
}

void
charts_series(struct call *c)
{
	const char *metric = httpd_query(c->r, "metric");
	struct steps all = { .app = c->app, .run = c->run };
	struct json_out o;
	struct why why;
	int status;

	status = store_runs(c->app->store, c->run, 1, read_step_length, &all,
	    &why);
	if (status == 0 && all.length < 1) {
		reply_store(c->reply, STORE_NO_RUN, NULL);
		return;
	}
	if (status == 0)
		status = metric != NULL ? read_custom(&all, metric, &why) :
		    read_overview(&all, &why);
	o = reply_json(c->reply, 200);
	put_steps(&o, &all, metric != NULL ? put_custom : put_step);
	if (status < 0)
		reply_store(c->reply, STORE_FAILED, &why);
}

/* Requests of one name, method and status. */
struct url {
	struct span name, method, status;	/* into key */
	uint64_t failed;
	double count;
	struct sink duration;
	char key[];
};

struct urls {
	struct tags tags;
	struct map by_key;
	struct buf key;
};

/* A tag's value; "" without it. */
static struct span
value_of(const struct tagset *set, const char *key)
{
	const struct tag *tag = tagset_find(set, key);

	return tag != NULL ? tag->value : (struct span){ "", 0 };
}

static struct url *
url_new(struct urls *all, struct span name, struct span method)
{
	size_t n = all->key.n;
	struct url *u = xcalloc(1, sizeof(*u) + n);

	memcpy(u->key, all->key.p, n);
	u->name = (struct span){ u->key, name.n };
	u->method = (struct span){ u->key + name.n + 1, method.n };
	u->status.p = u->method.p + method.n + 1;
	u->status.n = (size_t)(u->key + n - u->status.p);
	u->duration.type = METRIC_TREND;
	map_put(&all->by_key, (struct span){ u->key, n }, u);
	return u;
}

/* The line that a tag set belongs to. NULL: the database holds bad JSON. */
static struct url *
url_of(struct urls *all, struct span json)
{
	struct json j = json_of(json);
	const struct tagset *set = tags_read(&all->tags, &j);
	struct span name, method;
	struct url *u;

	if (set == NULL)
		return NULL;
	name = value_of(set, "name");
	if (name.n == 0)
		name = value_of(set, "url");
	method = value_of(set, "method");
	buf_reset(&all->key);
	buf_span(&all->key, name);
	buf_char(&all->key, '\0');
	buf_span(&all->key, method);
	buf_char(&all->key, '\0');
	buf_span(&all->key, value_of(set, "status"));
	u = map_get(&all->by_key, buf_whole(&all->key));
	return u != NULL ? u : url_new(all, name, method);
}

static int
read_url(void *ctx, const struct store_row *row)
{
	struct url *u = url_of(ctx, row->tags);

	if (u == NULL)
		return 0;
	if (span_is(row->metric, "http_reqs"))
		u->count += row->sink->sum;
	else if (span_is(row->metric, "http_req_failed"))
		u->failed += row->sink->nonzero;
	else
		sink_merge(&u->duration, row->sink);
	return 0;
}

static void
put_url(struct json_out *o, const struct url *u)
{
	json_open(o, '{');
	json_member_text(o, "name", u->name);
	json_member_text(o, "method", u->method);
	json_member_text(o, "status", u->status);
	json_member_number(o, "count", u->count);
	json_member_int(o, "failed", (int64_t)u->failed);
	put_stats(o, &u->duration, "p50");
	json_close(o, '}');
}

/* Most requests first, then by name. */
static int
by_count(const void *a, const void *b)
{
	const struct url *x = *(struct url *const *)a;
	const struct url *y = *(struct url *const *)b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->key, y->key);
}

static void
put_urls(struct json_out *o, struct urls *all)
{
	struct url **sorted = xcalloc(all->by_key.n, sizeof(*sorted));
	size_t at = 0, i, n = 0;

	while (n < all->by_key.n)
		sorted[n++] = map_next(&all->by_key, &at);
	if (n != 0)
		qsort(sorted, n, sizeof(*sorted), by_count);
	json_open(o, '[');
	for (i = 0; i < n; i++) {
		put_url(o, sorted[i]);
		sink_release(&sorted[i]->duration);
		free(sorted[i]);
	}
	json_close(o, ']');
	free(sorted);
	map_release(&all->by_key);
	tags_release(&all->tags);
	buf_release(&all->key);
}

void
charts_urls(struct call *c)
{
	static const char *const metrics[] = { "http_reqs",
	    "http_req_failed", "http_req_duration" };
	struct urls all = { 0 };
	struct json_out o;
	struct why why;
	size_t i;
	int status = 0;

	if (!app_has_run(c))
		return;
	for (i = 0; status == 0 && i < 3; i++)
		status = store_series(c->app->store, &(struct store_query){
		    c->run, metrics[i], false }, read_url, &all, &why);
	o = reply_json(c->reply, 200);
	put_urls(&o, &all);
	if (status < 0)
		reply_store(c->reply, STORE_FAILED, &why);
}
