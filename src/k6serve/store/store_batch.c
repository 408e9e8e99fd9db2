/* SPDX-License-Identifier: MIT */
/* Adds a batch to its run: once for its key, and within the run's maxima. */
#include "data/run.h"
#include "k6serve/store/store_batch_priv.h"
#include "k6serve/store/store_bulk.h"
#include "k6serve/store/store_single.h"

static int
bump_run(struct store *s, const struct store_batch *b,
    const struct store_state *old, struct why *why)
{
	static const char update[] = "UPDATE run SET seen_ns = ?2,"
	    " first_ns = ?3, last_ns = ?4, step_s = CASE WHEN step_s < ?5"
	    " THEN ?5 ELSE step_s END,"
	    " inner_first_ns = ?9, inner_last_ns = ?10,"
	    " requests = requests + ?6, points = points + ?7,"
	    " is_late = CASE WHEN ?8 != 0 THEN 1 ELSE is_late END,"
	    " run_status = 2,"
	    " version = version + 1 WHERE id = ?1";
	struct store_stmt p = store_prepare(s, update, why);
	struct store_extent data = old->data;

	if (p.sql == NULL)
		return -1;
	store_extent_add(&data, &b->data);
	store_bind_int(&p, b->run);
	store_bind_int(&p, b->now_ns);
	store_bind_int(&p, data.first_ns);
	store_bind_int(&p, data.last_ns);
	store_bind_int(&p, b->step_s);
	store_bind_int(&p, b->requests);
	store_bind_int(&p, b->points);
	store_bind_int(&p, old->run_status == RUN_TIMED_OUT);
	store_touch(s, b->run);
	store_bind_int(&p, data.inner_first_ns);
	store_bind_int(&p, data.inner_last_ns);
	return store_run_sql(&p, why);
}

/* Of n rows with all tag sets together, how many series the run does not have;
 * -1: why. */
static int64_t
count_new(struct store *s, int64_t run, const struct store_row *rows, size_t n,
    struct why *why)
{
	int64_t count = 0, id = 0;
	size_t i;

	if (store_has_bulk(s))
		return store_bulk_count_new(s, run, rows, n, why);
	for (i = 0; i < n && id >= 0; i += store_batch_same_series(&rows[i],
	    n - i)) {
		id = store_single_series(s, run, &rows[i], 0, NULL, why);
		count += id == 0;
	}
	return id < 0 ? -1 : count;
}

/* Does the run have too many metrics with those of the batch? Their rows are
 * the last ones. */
static enum store_result
check_metrics(struct store *s, const struct store_batch *b, struct why *why)
{
	static const char select[] = "SELECT count(*) FROM series"
	    " INDEXED BY whole WHERE run = ? AND tagset = 0";
	struct store_stmt p = store_prepare(s, select, why);
	size_t first = b->n, i;
	int64_t n, more = 0;

	while (first > 0 && b->rows[first - 1].tags.n == 0)
		first--;
	for (i = first; i < b->n; i += store_batch_same_series(&b->rows[i],
	    b->n - i))
		more++;
	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, b->run);
	n = store_one_int(&p, why);
	if (n >= 0 && n + more > STORE_METRICS) {
		more = count_new(s, b->run, &b->rows[first], b->n - first,
		    why);
		n = more < 0 ? -1 : more == 0 ? 0 : n + more;
	}
	if (n < 0)
		return store_failure(s);
	if (n <= STORE_METRICS)
		return STORE_DONE;
	(void)why_set(why, "the run would have more than %d metrics",
	    STORE_METRICS);
	return STORE_TOO_MUCH;
}

static enum store_result
put_batch(struct store *s, const struct store_batch *b, struct why *why)
{
	struct store_state state;
	enum store_result result = store_state_lock(s, b->owner, b->run,
	    &state, why);

	/* A batch that is known is answered as such even when the run has
	 * ended: its sender may have missed the first answer. */
	if (result == STORE_DONE && b->key.n != 0)
		result = store_key_check(s, b, why);
	if (result == STORE_DONE && !store_state_is_open(&state))
		result = STORE_ENDED;
	if (result == STORE_DONE)
		result = store_check_size("the idempotency key", b->key,
		    STORE_KEY, why);
	if (result == STORE_DONE)
		result = check_metrics(s, b, why);
	if (result != STORE_DONE)
		return result;
	if (b->key.n != 0)
		result = store_key_note(s, b, why);
	if (result != STORE_DONE)
		return result;
	if (store_batch_put(s, b, &state, why) < 0 ||
	    store_slow_add(s, b, why) < 0 || bump_run(s, b, &state, why) < 0)
		return store_failure(s);
	return STORE_DONE;
}

enum store_result
store_batch_add(struct store *s, const struct store_batch *b,
    struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, put_batch(s, b, why), why);
}
