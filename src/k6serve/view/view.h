/* SPDX-License-Identifier: MIT */
/*
 * view: a run as people see it, as JSON values (k6serve(1), "JSON API"). The
 * pages, scripts, reports and comparisons all read these.
 */
#ifndef K6PIPE_K6SERVE_VIEW_VIEW_H
#define K6PIPE_K6SERVE_VIEW_VIEW_H

#include "data/jsn.h"
#include "data/sink.h"
#include "k6serve/store/store_query.h"
#include "k6serve/store/store_run.h"

struct tag_filter;

/* What is looked at. Texts are borrowed; view_open fills in what stands below
 * the line. */
struct view {
	struct store *store;
	const char *owner;	/* whose runs are there, as the store has it */
	int64_t timeout_ns;	/* silence after which a run is timed out, if
				   no server was there to note it */
	int64_t run;
	int64_t base;		/* the run to compare with; 0: */
	int64_t baseline;	/* at most so many that passed; 0: the one that
				   was chosen, or else the last that passed */
	int64_t step_s;		/* seconds in a step; 0: the run's */
	int64_t from_s, to_s;	/* only what was in [from, to), Unix seconds,
				   in tables and bars; to 0: all; widened to
				   whole steps of the run */
	size_t most_urls;	/* in a table; 0: all */
	double min_effect;	/* a smaller change is none: 0.05 is 5 % */
	int64_t series_from;	/* no step of a series before this second; 0:
				   all */
	const struct tag_filter *tags;	/* only what has these, in tables and
				   series; NULL: all */
	const char *metric;	/* only this one; NULL: the usual ones */
	const char *name, *method, *status;	/* only these; NULL: all */
	/* -- */
	int run_status;		/* as others see it */
	int64_t first_ns, version;	/* its start */
	double seconds;		/* that it took; 0: not known */
};

/* The state that others see. */
int run_state(const struct store_run *run, int64_t timeout_ns);

/* Look at view->run. 1; 0: there is none; -1: why. */
int view_open(struct view *v, struct why *why);

/* Each writes one JSON value to o. 0, or -1 and why, o being useless then. */
typedef int view_put(const struct view *v, struct jsn_out *o,
    struct why *why);
view_put view_run, view_thresholds, view_series, view_requests, view_tags,
    view_urls, view_distribution, view_slow, view_checks, view_errors,
    view_metrics, view_range, view_report, view_diff;

/* A query of the run for its series, of the part that is looked at, and how
 * many seconds the part has; 0: not known. */
struct store_query view_query(const struct view *v, const char *metric);
double view_seconds(const struct view *v);

/* Which runs a list has; texts are borrowed, NULL: all. */
struct run_filter {
	int64_t limit;		/* no more than these */
	const char *search;	/* their name or note holds it, in any case */
	const char *name;	/* theirs */
	const char *state;	/* that of run_filter_knows_state */
	const char *verdict;	/* as run_verdict_name has it */
	int64_t since_ns, until_ns;	/* they began in [since, until) */
	int64_t before;		/* their numbers are less; 0: all */
	int64_t next;		/* set by view_runs: the list may go on before
				   this number; 0: it has all */
};

/* Is it a state as a list is filtered by: "running", "timed-out", "aborted" in
 * any way, "aborted-by-user"? */
bool run_filter_knows_state(const char *text);
bool run_filter_knows_verdict(const char *text);

/* Write a JSON array with one object for each run that is wanted, newest
 * first. */
int view_runs(const struct view *v, struct run_filter *filter,
    struct jsn_out *o, struct why *why);

/* Members count, min, avg, p50, p90, p95, p99, max of a trend, in the unit of
 * its values, into the object that is open; null for what an empty one does not
 * have. put_durations: of response times, which are not known of requests that
 * got no answer. put_durations_only: without count. */
void put_trend(struct jsn_out *o, const struct sink *s);
void put_durations(struct jsn_out *o, const struct sink *s);
void put_durations_only(struct jsn_out *o, const struct sink *s);

#endif
