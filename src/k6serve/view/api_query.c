/* SPDX-License-Identifier: MIT */
/* Reads the parameters of a request for a view. */
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "data/compare.h"
#include "k6serve/view/api_priv.h"
#include "k6serve/view/baseline.h"

enum {
	RUNS_LISTED = 200,
	RUNS_MAX = 10000,
	STEP_MAX = 86400,	/* seconds */
	SECOND_MAX = INT32_MAX,	/* since 1970 */
};

/* The number that a word of the query gives, or *value as it is without it.
 * -1: the reply says that it is no such number. */
static int
query_int(struct call *c, const char *name, int64_t min, int64_t max,
    int64_t *value)
{
	const char *text = httpd_query(c->r, name);

	if (text == NULL || num_parse_int(text, min, max, value))
		return 0;
	reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
	    "%s must be between %lld and %lld", name,
	    (long long)min, (long long)max);
	return -1;
}

/* The run to compare with, as its number, last or last:NAME; 0: the query names
 * none. -1: the reply says why there is no such run. */
static int
query_base(struct call *c, int64_t *run)
{
	const char *text = httpd_query(c->r, "base");
	const char *name = text == NULL ? NULL : call_name_of_last(text,
	    strlen(text));
	enum store_result result;
	struct why why;

	if (text == NULL)
		return 0;
	if (name != NULL) {
		*run = call_find_last(c, span_of(name));
		return *run != 0 ? 0 : -1;
	}
	if (!num_parse_int(text, 1, INT64_MAX, run)) {
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER, "base must be "
		    "the number of a run, last or last:NAME");
		return -1;
	}
	result = store_run_find(c->store, c->owner, *run, &why);
	if (result == STORE_DONE)
		return 0;
	reply_store(c->reply, result, &why);
	return -1;
}

bool
api_wants_csv(const struct call *c)
{
	const char *format = httpd_query(c->r, "format");

	return format != NULL && strcmp(format, "csv") == 0;
}

/* Does the answer come in the format that the query wants? -1: the reply
 * says that it does not. */
static int
check_format(struct call *c)
{
	const char *format = httpd_query(c->r, "format");

	if (format == NULL || strcmp(format, "json") == 0 ||
	    (api_wants_csv(c) && api_shown(c) != NULL &&
	    api_shown(c)->saved_as != NULL))
		return 0;
	if (api_wants_csv(c))
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "format: csv is for tables only");
	else
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "format must be json or csv");
	return -1;
}

/* The tags that the query wants, "KEY:VALUE" each. -1: the reply tells what is
 * wrong with them. */
static int
read_tags(struct call *c, struct tag_filter *f)
{
	size_t i;

	f->n = httpd_query_all(c->r, "tag", f->texts, FILTERS);
	if (f->n > FILTERS) {
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "there may be at most %d tags",
		    FILTERS);
		return -1;
	}
	for (i = 0; i < f->n; i++)
		if (strchr(f->texts[i], ':') == NULL) {
			reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
			    "tag must be KEY:VALUE");
			return -1;
		}
	return 0;
}

int
api_read_query(struct call *c, struct view *v, struct tag_filter *tags)
{
	int64_t percent = -1;

	*v = (struct view){ .store = c->store, .owner = c->owner,
	    .timeout_ns = INT64_MAX, .run = c->run,
	    .metric = httpd_query(c->r, "metric"),
	    .name = httpd_query(c->r, "name"),
	    .method = httpd_query(c->r, "method"),
	    .status = httpd_query(c->r, "status") };
	if (check_format(c) < 0 || read_tags(c, tags) < 0 ||
	    query_int(c, "step", 1, STEP_MAX, &v->step_s) < 0 ||
	    query_int(c, "from", 0, SECOND_MAX, &v->from_s) < 0 ||
	    query_int(c, "series_from", 1, SECOND_MAX, &v->series_from) < 0 ||
	    query_int(c, "to", 1, SECOND_MAX, &v->to_s) < 0 ||
	    query_int(c, "baseline", 1, BASELINE_MOST, &v->baseline) < 0 ||
	    query_int(c, "min_effect", 0, 1000, &percent) < 0)
		return -1;
	if ((v->to_s != 0 || v->from_s != 0) && v->to_s <= v->from_s) {
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "from and to must be Unix seconds, and to after from");
		return -1;
	}
	v->tags = tags->n != 0 ? tags : NULL;
	v->min_effect = percent < 0 ? COMPARE_MIN_EFFECT :
	    (double)percent / 100;
	return query_base(c, &v->base);
}

bool
api_open_view(struct call *c, struct view *v, struct tag_filter *tags)
{
	struct why why;
	int found;

	if (api_read_query(c, v, tags) < 0)
		return false;
	found = view_open(v, &why);
	if (found <= 0)
		reply_store(c->reply, found < 0 ?
		    store_last_failure(c->store) : STORE_NO_RUN,
		    &why);
	return found > 0;
}

/* A time of the query, or a date, which begins at 0:00 UTC. -1: the reply says
 * that it is none. */
static int
query_time(struct call *c, const char *name, int64_t *ns)
{
	const char *text = httpd_query(c->r, name);
	struct buf day = { 0 };
	bool is_time;

	if (text == NULL)
		return 0;
	buf_text(&day, text);
	if (day.n == strlen("2026-01-31"))
		buf_text(&day, "T00:00:00Z");
	is_time = time_parse(buf_whole(&day), ns);
	buf_release(&day);
	if (!is_time)
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "%s must be a time as 2026-01-31 or "
		    "2026-01-31T12:00:00Z", name);
	return is_time ? 0 : -1;
}

int
api_read_filter(struct call *c, struct run_filter *f)
{
	*f = (struct run_filter){ .limit = RUNS_LISTED,
	    .since_ns = INT64_MIN, .until_ns = INT64_MAX,
	    .search = httpd_query(c->r, "search"),
	    .name = httpd_query(c->r, "name"),
	    .state = httpd_query(c->r, "state"),
	    .verdict = httpd_query(c->r, "verdict") };
	if (f->state != NULL && !run_filter_knows_state(f->state)) {
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "state must be that of a run: running, finished, "
		    "timed-out, aborted, aborted-by-user and the like");
		return -1;
	}
	if (f->verdict != NULL && !run_filter_knows_verdict(f->verdict)) {
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "verdict must be passed, failed, "
		    "none, pending or unknown");
		return -1;
	}
	if (query_int(c, "limit", 1, RUNS_MAX, &f->limit) < 0 ||
	    query_int(c, "before", 1, INT64_MAX, &f->before) < 0 ||
	    query_time(c, "since", &f->since_ns) < 0 ||
	    query_time(c, "until", &f->until_ns) < 0)
		return -1;
	return 0;
}
