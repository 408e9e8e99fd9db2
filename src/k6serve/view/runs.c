/* SPDX-License-Identifier: MIT */
/* runs: a run's state, times and totals. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/store/run_times.h"
#include "k6serve/store/store_query.h"
#include "k6serve/view/criteria.h"
#include "k6serve/view/totals.h"
#include "k6serve/view/view.h"

int
run_state(const struct store_run *run, int64_t timeout_ns)
{
	if (run->run_status == RUN_RUNNING &&
	    now_unix_ns() - run->seen_ns > timeout_ns)
		return RUN_TIMED_OUT;
	return run->run_status;
}

/* While runs are written out. */
struct listing {
	const struct view *v;
	struct jsn_out *o;
	struct run_filter *filter;	/* NULL: one run, with what takes
					   time */
	int64_t n, last;	/* runs that were written, the last of them */
	struct why *why;
};

/* A number that the client tells; null if it did not, or told nonsense. */
static void
put_known(struct jsn_out *o, const char *key, int64_t value)
{
	if (value > 0)
		jsn_member_int(o, key, value);
	else
		jsn_member_raw(o, key, SPAN("null"));
}

/* Start and end are those of the run, which may be older than its upload. */
static void
put_times(struct jsn_out *o, const struct store_run *run, int status)
{
	struct run_times t = run_times(run);
	double seconds = run_seconds(run);

	jsn_member_time_or_null(o, "start", t.start_ns);
	jsn_member_time_or_null(o, "end", status == RUN_RUNNING ? 0
	    : t.end_ns);
	jsn_member_number(o, "duration", seconds > 0 ? seconds : NAN);
	put_known(o, "planned_duration", run->planned_s);
	jsn_member_time_or_null(o, "created", run->created_ns);
	jsn_member_time_or_null(o, "seen", run->seen_ns);
	jsn_member_time_or_null(o, "finished", run->ended_ns);
}

static void
put_state(struct jsn_out *o, const struct store_run *run, int status)
{
	jsn_member_text(o, "state", span_of(run_status_name(status)));
	jsn_member_int(o, "run_status", status);
	jsn_member_int(o, "result_status", run->result_status);
	jsn_key(o, "late");
	jsn_put_bool(o, run->is_late);
	jsn_key(o, "baseline");
	jsn_put_bool(o, run->is_baseline);
}

static int
count_series(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(int64_t *)ctx;
	return 0;
}

/* What is computed from a run's data. */
struct sums {
	struct totals totals;
	int64_t overflow, generators;
	struct vus {		/* of several generators: each its own */
		int64_t second;
		double sum, most;
	} vus;
	struct criteria criteria;
};

/* Those of one second are of all at the same time. */
static int
add_vus(void *ctx, const struct store_row *row)
{
	struct vus *vus = ctx;

	if (row->second != vus->second)
		vus->sum = 0;
	vus->second = row->second;
	vus->sum += row->sink->last;
	vus->most = fmax(vus->most, vus->sum);
	return 0;
}

static int
read_sums(struct listing *l, const struct store_run *run, struct sums *sums)
{
	struct view v = *l->v;
	struct store *s = v.store;
	struct store_query q;

	v.run = run->id;
	q = view_query(&v, "vus");
	sums->overflow = store_overflow(s, q.owner, run->id, l->why);
	if (sums->overflow < 0 || criteria_read(&sums->criteria, s, q.owner,
	    run, l->why) < 0 || totals_read(&sums->totals, &v,
	    l->filter == NULL, l->why) < 0)
		return -1;
	q.has_no_hist = true;
	if (store_series(s, &q, count_series, &sums->generators, l->why) < 0)
		return -1;
	if (sums->generators < 2 || run->vus > 0)
		return 0;	/* the most that were seen is not asked for */
	sums->totals.most_vus = 0;
	return store_points(s, &q, add_vus, &sums->vus, l->why);
}

static void
put_texts(struct jsn_out *o, const struct store_run *run)
{
	jsn_member_int(o, "id", run->id);
	jsn_member_text(o, "name", run->name);
	jsn_member_text(o, "note", run->note);
	jsn_member_text(o, "agent", run->agent);
}

static void
put_run(struct listing *l, const struct store_run *run, struct sums *sums)
{
	struct jsn_out *o = l->o;
	int status = run_state(run, l->v->timeout_ns);

	jsn_open(o, '{');
	put_texts(o, run);
	put_state(o, run, status);
	jsn_member_text(o, "verdict", span_of(run_verdict_name(
	    criteria_verdict(&sums->criteria, run, status))));
	put_times(o, run, status);
	put_known(o, "project_id", run->project);
	put_known(o, "vus", run->vus > 0 ? run->vus
	    : (int64_t)fmax(sums->totals.most_vus, sums->vus.most));
	put_known(o, "generators", sums->generators);
	jsn_member_int(o, "step", run->step_s);
	jsn_member_int(o, "points", run->points);
	jsn_member_int(o, "overflow", sums->overflow);
	jsn_member_int(o, "version", run->version);
	jsn_key(o, "thresholds");
	criteria_put(&sums->criteria, o);
	totals_put(&sums->totals, l->filter == NULL, o);
	jsn_close(o, '}');
}

/* "Aborted by User" is "aborted-by-user", and "aborted", too. */
static bool
is_in_state(int status, const char *text)
{
	const char *name = run_status_name(status);
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (text[i] != (name[i] == ' ' ? '-'
		    : tolower((unsigned char)name[i])))
			return false;
	return i > 0 && (name[i] == '\0' || (name[i] == ' ' &&
	    status >= RUN_ABORTED_BY_USER));
}

bool
run_filter_knows_state(const char *text)
{
	int status;

	for (status = RUN_CREATED; status <= RUN_ABORTED_BY_LIMIT; status++)
		if (is_in_state(status, text))
			return true;
	return false;
}

bool
run_filter_knows_verdict(const char *text)
{
	int v;

	for (v = 0; v < VERDICTS; v++)
		if (strcmp(run_verdict_name((enum run_verdict)v), text) == 0)
			return true;
	return false;
}

static bool
has_text(const struct store_run *run, const char *search)
{
	struct buf text = { 0 };
	bool is_there;

	buf_span(&text, run->name);
	buf_char(&text, '\n');
	buf_span(&text, run->note);
	is_there = strcasestr(text.p, search) != NULL;
	buf_release(&text);
	return is_there;
}

/* But for the verdict, which takes more time. */
static bool
is_wanted(const struct listing *l, const struct store_run *run)
{
	const struct run_filter *f = l->filter;
	int64_t start_ns;

	if (f == NULL)
		return true;
	start_ns = run_times(run).start_ns;
	return (f->before == 0 || run->id < f->before) &&
	    (f->name == NULL || span_is(run->name, f->name)) &&
	    (f->state == NULL || is_in_state(run_state(run,
	    l->v->timeout_ns), f->state)) &&
	    (start_ns >= f->since_ns && start_ns < f->until_ns) &&
	    (f->search == NULL || f->search[0] == '\0' ||
	    has_text(run, f->search));
}

static bool
has_verdict(const struct listing *l, const struct store_run *run,
    const struct sums *sums)
{
	return l->filter == NULL || l->filter->verdict == NULL ||
	    strcmp(run_verdict_name(criteria_verdict(&sums->criteria, run,
	    run_state(run, l->v->timeout_ns))), l->filter->verdict) == 0;
}

static int
each_run(void *ctx, const struct store_run *run)
{
	struct sums sums = { .totals = TOTALS_NONE };
	struct listing *l = ctx;
	int status;

	if (!is_wanted(l, run))
		return 0;
	if (l->filter != NULL && l->n == l->filter->limit) {
		l->filter->next = l->last;
		return 1;
	}
	status = read_sums(l, run, &sums);
	if (status == 0 && has_verdict(l, run, &sums)) {
		put_run(l, run, &sums);
		l->last = run->id;
		l->n++;
	}
	totals_release(&sums.totals);
	criteria_release(&sums.criteria);
	return status;
}

int
view_runs(const struct view *v, struct run_filter *filter,
    struct jsn_out *o, struct why *why)
{
	struct listing l = { .v = v, .o = o, .filter = filter, .why = why };
	struct store_run_query q = { .owner = v->owner, .limit = INT64_MAX };
	int status;

	jsn_open(o, '[');
	status = store_runs(v->store, &q, each_run, &l, why);
	jsn_close(o, ']');
	return status < 0 ? -1 : 0;
}

int
view_run(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct listing l = { .v = v, .o = o, .why = why };
	struct store_run_query q = { .owner = v->owner, .id = v->run };

	return store_runs(v->store, &q, each_run, &l, why);
}

/* While the thresholds of a run are written out. */
struct threshold_list {
	const struct view *v;
	struct jsn_out *o;
	struct why *why;
};

static int
put_thresholds(void *ctx, const struct store_run *run)
{
	struct threshold_list *l = ctx;
	struct criteria c = { 0 };
	int status = criteria_read(&c, l->v->store, l->v->owner, run, l->why);

	if (status == 0)
		criteria_put(&c, l->o);
	criteria_release(&c);
	return status;
}

int
view_thresholds(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct threshold_list l = { v, o, why };
	struct store_run_query q = { .owner = v->owner, .id = v->run };

	return store_runs(v->store, &q, put_thresholds, &l, why);
}

static int
note_run(void *ctx, const struct store_run *run)
{
	struct view *v = ctx;
	int64_t step = run->step_s;

	v->run_status = run_state(run, v->timeout_ns);
	v->version = run->version;
	v->first_ns = run_times(run).start_ns;
	v->seconds = run_seconds(run);
	if (v->step_s < step)
		v->step_s = step;
	v->step_s = (v->step_s + step - 1) / step * step;
	if (v->to_s != 0) {
		v->from_s = num_floor_to(v->from_s, step);
		v->to_s = num_floor_to(v->to_s + step - 1, step);
	}
	return 1;
}

int
view_open(struct view *v, struct why *why)
{
	struct store_run_query q = { .owner = v->owner, .id = v->run };

	return store_runs(v->store, &q, note_run, v, why);
}
