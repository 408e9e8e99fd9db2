/* SPDX-License-Identifier: MIT */
/* The table of slowest requests. */
#include "k6serve/store/store_slow.h"

#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_priv.h"

#define TIMING_COLUMNS "duration_ns, blocked_ns, connecting_ns," \
	" tls_handshaking_ns, sending_ns, waiting_ns, receiving_ns"

/* A request that takes longer than this gets a place; -1: all do, so far. */
static int
read_bound(struct store *s, int64_t run, int64_t *bound, struct why *why)
{
	static const char select[] = "SELECT count(*),"
	    " coalesce(min(duration_ns), 0) FROM slow WHERE run = ?";
	enum { COUNT, LEAST_NS };
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	found = store_step(&p, why);
	*bound = found > 0 && store_get_int(&p, COUNT) >=
	    STORE_SLOW ? store_get_int(&p, LEAST_NS) : -1;
	store_reset(&p);
	return found > 0 ? 0 : -1;
}

static int
insert_slow(struct store *s, int64_t run, const struct store_slow *slow,
    struct why *why)
{
	static const char insert[] = "INSERT INTO slow(run, time_ns, "
	    TIMING_COLUMNS ", failed, tags)"
	    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	struct store_stmt p = store_prepare(s, insert, why);
	int i;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_int(&p, slow->time_ns);
	for (i = 0; i < TIMINGS; i++)
		store_bind_int(&p, slow->ns[i]);
	store_bind_int(&p, slow->failed);
	store_bind_text(&p, slow->tags);
	return store_run_sql(&p, why);
}

static int
trim_slow(struct store *s, int64_t run, struct why *why)
{
	static const char delete[] = "DELETE FROM slow WHERE id IN"
	    " (SELECT id FROM slow WHERE run = ?1"
	    " ORDER BY duration_ns DESC, id LIMIT 1000000000 OFFSET ?2)";
	struct store_stmt p = store_prepare(s, delete, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_int(&p, STORE_SLOW);
	return store_run_sql(&p, why);
}

int
store_slow_add(struct store *s, const struct store_batch *b,
    struct why *why)
{
	int64_t bound;
	size_t i;
	bool has_more = false;

	if (b->n_slow == 0)
		return 0;
	if (read_bound(s, b->run, &bound, why) < 0)
		return -1;
	for (i = 0; i < b->n_slow; i++) {
		if (b->slow[i].ns[TIMING_DURATION] <= bound ||
		    b->slow[i].tags.n > STORE_TAGSET)
			continue;
		if (insert_slow(s, b->run, &b->slow[i], why) < 0)
			return -1;
		has_more = true;
	}
	return has_more ? trim_slow(s, b->run, why) : 0;
}

int
store_slowest(struct store *s, const struct store_slow_query *q,
    store_slow_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT time_ns, failed, tags, "
	    TIMING_COLUMNS " FROM slow WHERE run = ?1 AND "
	    STORE_SEES("?2", "?1") " ORDER BY duration_ns DESC, id";
	enum { TIME_NS, FAILED, TAGS, FIRST_TIMING };
	struct store_stmt p = store_prepare(s, select, why);
	struct store_slow slow;
	int status = 0, i;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->run);
	store_bind_owner(&p, q->owner);
	while (store_next(&p, &status, why)) {
		slow.time_ns = store_get_int(&p, TIME_NS);
		slow.failed = (int)store_get_int(&p, FAILED);
		slow.tags = store_get_text(&p, TAGS);
		for (i = 0; i < TIMINGS; i++)
			slow.ns[i] = store_get_int(&p,
			    FIRST_TIMING + i);
		status = each(ctx, &slow);
	}
	return status;
}
