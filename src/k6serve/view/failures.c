/* SPDX-License-Identifier: MIT */
/* Counts failed requests by the status of each series of requests. */
#include "k6serve/view/failures.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "k6serve/view/group.h"

double
failures_share(struct span status)
{
	char text[8];
	int64_t n;

	if (status.n == 0 || status.n >= sizeof(text))
		return NAN;
	memcpy(text, status.p, status.n);
	text[status.n] = '\0';
	if (!num_parse_int(text, 0, 999, &n))
		return NAN;
	return n < 200 || n > 399;
}

struct by_status {
	double failed;
	struct tags tags;
};

static int
add_series(void *ctx, const struct store_row *row)
{
	struct by_status *b = ctx;
	struct jsn j = jsn_of(row->tags);
	const struct tagset *set = tags_read(&b->tags, &j);

	b->failed += sink_sum(row->sink) * (set != NULL ?
	    failures_share(tag_value(set, "status")) : NAN);
	return 0;
}

int
failures_by_status(const struct view *v, double *failed, struct why *why)
{
	struct by_status b = { .failed = 0 };
	struct store_query q = view_query(v, "http_reqs");
	int status;

	q.has_no_hist = true;
	status = store_series(v->store, &q, add_series, &b, why);

	*failed = b.failed;
	tags_release(&b.tags);
	return status;
}

double
failures_success(const struct tagset *set)
{
	struct span expected = tag_value(set, "expected_response");

	return expected.n != 0 ? span_is(expected, "true") :
	    1 - failures_share(tag_value(set, "status"));
}

struct expected {
	struct sink *sink;
	struct apdex *apdex;
	struct tags tags;
};

static void
add_apdex(struct apdex *a, const struct sink *s, double success)
{
	uint64_t satisfied = hist_count_to(&s->hist, APDEX_MS);

	if (isnan(success)) {
		a->unknown += s->count;
	} else if (success != 0) {
		a->satisfied += satisfied;
		a->tolerated += hist_count_to(&s->hist, 4 * APDEX_MS) -
		    satisfied;
	}
}

static int
add_expected(void *ctx, const struct store_row *row)
{
	struct expected *e = ctx;
	struct jsn j = jsn_of(row->tags);
	const struct tagset *set = tags_read(&e->tags, &j);

	if (set != NULL && span_is(tag_value(set, "expected_response"),
	    "true"))
		sink_merge(e->sink, row->sink);
	if (e->apdex != NULL)
		add_apdex(e->apdex, row->sink, set != NULL ?
		    failures_success(set) : NAN);
	return 0;
}

int
failures_expected(const struct view *v, struct sink *s,
    struct apdex *apdex, struct why *why)
{
	struct expected e = { .sink = s, .apdex = apdex };
	struct store_query q = view_query(v, "http_req_duration");
	int status = store_series(v->store, &q, add_expected, &e, why);

	tags_release(&e.tags);
	return status;
}
