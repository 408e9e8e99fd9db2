/* SPDX-License-Identifier: MIT */
/* The table of slowest requests. */
#include "k6serve/store/store_slow.h"

#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_load.h"
#include "k6serve/store/store_priv.h"

#define TIMING_COLUMNS "duration_ns, blocked_ns, connecting_ns," \
	" tls_handshaking_ns, sending_ns, waiting_ns, receiving_ns"

/* The values of a row. */
enum { RUN, TIME_NS, FIRST_TIMING, FAILED = FIRST_TIMING + TIMINGS, TAGS,
	VALUES };

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

static bool
is_slower(const struct store_slow *slow, int64_t bound)
{
	return slow->ns[TIMING_DURATION] > bound &&
	    slow->tags.n <= STORE_TAGSET;
}

/* The slow requests of a batch that are loaded. */
struct slower {
	const struct store_batch *b;
	int64_t bound;
};

static bool
put_slow(void *ctx, size_t i, struct engine_value *row)
{
	const struct slower *slower = ctx;
	const struct store_slow *slow = &slower->b->slow[i];
	int t;

	if (!is_slower(slow, slower->bound))
		return false;
	row[RUN] = store_int_value(slower->b->run);
	row[TIME_NS] = store_int_value(slow->time_ns);
	for (t = 0; t < TIMINGS; t++)
		row[FIRST_TIMING + t] = store_int_value(slow->ns[t]);
	row[FAILED] = store_int_value(slow->failed);
	row[TAGS] = store_text_value(slow->tags);
	return true;
}

/* Those that are slower than the bound. */
static int
load_slower(struct store *s, const struct store_batch *b, int64_t bound,
    struct why *why)
{
	struct slower slower = { b, bound };
	const struct store_load load = { "slow(run, time_ns, " TIMING_COLUMNS
	    ", failed, tags)", VALUES, b->n_slow, put_slow, &slower };

	return store_load(s, &load, why);
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
	size_t i = 0;

	if (b->n_slow == 0)
		return 0;
	if (read_bound(s, b->run, &bound, why) < 0)
		return -1;
	while (i < b->n_slow && !is_slower(&b->slow[i], bound))
		i++;
	if (i == b->n_slow)
		return 0;
	return load_slower(s, b, bound, why) < 0 ? -1 :
	    trim_slow(s, b->run, why);
}

int
store_slowest(struct store *s, const struct store_slow_query *q,
    store_slow_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT time_ns, failed, tags, "
	    TIMING_COLUMNS " FROM slow WHERE run = ?1 AND "
	    STORE_SEES("?2", "?1") " ORDER BY duration_ns DESC, id";
	enum { AT_TIME_NS, AT_FAILED, AT_TAGS, AT_TIMINGS };
	struct store_stmt p = store_prepare(s, select, why);
	struct store_slow slow;
	int status = 0, i;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->run);
	store_bind_owner(&p, q->owner);
	while (store_next(&p, &status, why)) {
		slow.time_ns = store_get_int(&p, AT_TIME_NS);
		slow.failed = (int)store_get_int(&p, AT_FAILED);
		slow.tags = store_get_text(&p, AT_TAGS);
		for (i = 0; i < TIMINGS; i++)
			slow.ns[i] = store_get_int(&p, AT_TIMINGS + i);
		status = each(ctx, &slow);
	}
	return status;
}
