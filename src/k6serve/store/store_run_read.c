/* SPDX-License-Identifier: MIT */
/* Reads runs: one, all, or what decides whether one takes data. */
#include "k6serve/store/store_run.h"

#include "data/run.h"
#include "k6serve/store/store_priv.h"

enum { AT_A_TIME = 128 };	/* runs that are read */

/* The lesser, or the greater, of two of which 0 is none. */
static int64_t
least(int64_t a, int64_t b)
{
	return b == 0 || (a != 0 && a < b) ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
	return b == 0 || (a != 0 && a > b) ? a : b;
}

void
store_extent_add(struct store_extent *e, const struct store_extent *other)
{
	e->first_ns = least(e->first_ns, other->first_ns);
	e->inner_first_ns = least(e->inner_first_ns, other->inner_first_ns);
	e->last_ns = most(e->last_ns, other->last_ns);
	e->inner_last_ns = most(e->inner_last_ns, other->inner_last_ns);
}

bool
store_state_is_open(const struct store_state *state)
{
	return state->run_status == RUN_RUNNING ||
	    state->run_status == RUN_TIMED_OUT;
}

#define STATE_OF_RUN "SELECT run_status, first_ns, last_ns, inner_first_ns," \
	" inner_last_ns, tens_to, minutes_to FROM run WHERE id = ?1 AND " \
	STORE_IS_SEEN_BY("?2")

static enum store_result
read_state(struct store *s, const char *select, const char *owner,
    int64_t run, struct store_state *state, struct why *why)
{
	enum { RUN_STATUS, FIRST_NS, LAST_NS, INNER_FIRST_NS, INNER_LAST_NS,
		TENS_TO, MINUTES_TO };
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, run);
	store_bind_owner(&p, owner);
	found = store_step(&p, why);
	if (found > 0) {
		state->run_status = (int)store_get_int(&p, RUN_STATUS);
		state->data = (struct store_extent){
		    store_get_int(&p, FIRST_NS),
		    store_get_int(&p, LAST_NS),
		    store_get_int(&p, INNER_FIRST_NS),
		    store_get_int(&p, INNER_LAST_NS) };
		state->rolled = (struct store_rolled){
		    store_get_int(&p, TENS_TO),
		    store_get_int(&p, MINUTES_TO) };
	}
	store_reset(&p);
	if (found < 0)
		return store_failure(s);
	return found == 0 ? STORE_NO_RUN : STORE_DONE;
}

enum store_result
store_state_get(struct store *s, const char *owner, int64_t run,
    struct store_state *state, struct why *why)
{
	static const char select[] = STATE_OF_RUN;

	return read_state(s, select, owner, run, state, why);
}

enum store_result
store_state_lock(struct store *s, const char *owner, int64_t run,
    struct store_state *state, struct why *why)
{
	static const char select[] = STATE_OF_RUN " /* FOR UPDATE */";

	return read_state(s, select, owner, run, state, why);
}

enum store_result
store_run_find(struct store *s, const char *owner, int64_t run,
    struct why *why)
{
	struct store_state state;

	return store_state_get(s, owner, run, &state, why);
}

enum store_result
store_run_key(struct store *s, const char *owner, int64_t run, struct buf *key,
    struct why *why)
{
	static const char select[] = "SELECT coalesce(create_key, '')"
	    " FROM run WHERE id = ?1 AND " STORE_IS_SEEN_BY("?2");
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, run);
	store_bind_owner(&p, owner);
	found = store_step(&p, why);
	if (found > 0)
		buf_span(key, store_get_text(&p, 0));
	store_reset(&p);
	if (found < 0)
		return store_failure(s);
	return found == 0 ? STORE_NO_RUN : STORE_DONE;
}

int64_t
store_run_last(struct store *s, const char *owner, struct span name,
    struct why *why)
{
	static const char select[] = "SELECT max(id) FROM run WHERE "
	    STORE_IS_SEEN_BY("?1") " AND (?2 = '' OR name = ?2)";
	struct store_stmt p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_owner(&p, owner);
	store_bind_text(&p, name);
	return store_one_int(&p, why);
}

int
store_run_was(struct store *s, int64_t run, struct why *why)
{
	struct store_stmt p = store_prepare(s,
	    s->engine->texts[ENGINE_RUN_WAS], why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	return (int)store_one_int(&p, why);
}

#define RUN_COLUMNS "SELECT id, name, thresholds, results, note, agent," \
	" owner, project, vus, planned_s, created_ns, seen_ns, ended_ns," \
	" first_ns, last_ns, inner_first_ns, inner_last_ns, start_ns, end_ns," \
	" step_s, requests, points, version, run_status," \
	" result_status, is_late, is_judged, instances, judged_version," \
	" is_baseline" \
	" FROM run WHERE "

static void
read_run(struct store_stmt *p, struct store_run *r)
{
	enum { ID, NAME, THRESHOLDS, RESULTS, NOTE, AGENT, OWNER, PROJECT,
		VUS, PLANNED_S, CREATED_NS, SEEN_NS, ENDED_NS, FIRST_NS,
		LAST_NS, INNER_FIRST_NS, INNER_LAST_NS, START_NS, END_NS,
		STEP_S, REQUESTS, POINTS, VERSION, RUN_STATUS,
		RESULT_STATUS, IS_LATE, IS_JUDGED, INSTANCES,
		JUDGED_VERSION, IS_BASELINE };

	r->id = store_get_int(p, ID);
	r->name = store_get_text(p, NAME);
	r->thresholds = store_get_text(p, THRESHOLDS);
	r->results = store_get_text(p, RESULTS);
	r->note = store_get_text(p, NOTE);
	r->agent = store_get_text(p, AGENT);
	r->owner = store_get_text(p, OWNER);
	r->project = store_get_int(p, PROJECT);
	r->vus = store_get_int(p, VUS);
	r->planned_s = store_get_int(p, PLANNED_S);
	r->created_ns = store_get_int(p, CREATED_NS);
	r->seen_ns = store_get_int(p, SEEN_NS);
	r->ended_ns = store_get_int(p, ENDED_NS);
	r->data.first_ns = store_get_int(p, FIRST_NS);
	r->data.last_ns = store_get_int(p, LAST_NS);
	r->data.inner_first_ns = store_get_int(p, INNER_FIRST_NS);
	r->data.inner_last_ns = store_get_int(p, INNER_LAST_NS);
	r->start_ns = store_get_int(p, START_NS);
	r->end_ns = store_get_int(p, END_NS);
	r->step_s = store_get_int(p, STEP_S);
	r->requests = store_get_int(p, REQUESTS);
	r->points = store_get_int(p, POINTS);
	r->version = store_get_int(p, VERSION);
	r->run_status = (int)store_get_int(p, RUN_STATUS);
	r->result_status = (int)store_get_int(p, RESULT_STATUS);
	r->is_late = (int)store_get_int(p, IS_LATE) != 0;
	r->is_judged = (int)store_get_int(p, IS_JUDGED) != 0;
	r->instances = store_get_int(p, INSTANCES);
	r->judged_version = store_get_int(p, JUDGED_VERSION);
	r->is_baseline = store_get_int(p, IS_BASELINE) != 0;
}

/* At most so many, of numbers below `before`, which becomes that of the last;
 * what is left of `limit`, too. */
static int
read_some(struct store *s, const struct store_run_query *q, int64_t *before,
    int64_t *left, store_run_each *each, void *ctx, struct why *why)
{
	static const char one[] = RUN_COLUMNS STORE_IS_SEEN_BY("?1")
	    " AND id = ?2";
	static const char all[] = RUN_COLUMNS STORE_IS_SEEN_BY("?1")
	    " AND id < ?2 ORDER BY id DESC LIMIT ?3";
	struct store_stmt p = store_prepare(s, q->id != 0 ? one : all, why);
	struct store_run r;
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_owner(&p, q->owner);
	store_bind_int(&p, q->id != 0 ? q->id : *before);
	if (q->id == 0)
		store_bind_int(&p, *left < AT_A_TIME ? *left : AT_A_TIME);
	while (store_next(&p, &status, why)) {
		read_run(&p, &r);
		*before = r.id;
		--*left;
		status = each(ctx, &r);
	}
	return status;
}

/* Some at a time, as an engine may have all rows of a result in memory. */
int
store_runs(struct store *s, const struct store_run_query *q,
    store_run_each *each, void *ctx, struct why *why)
{
	int64_t before = INT64_MAX, left = q->id != 0 ? 1 : q->limit, had;
	int status;

	do {
		had = left;
		status = read_some(s, q, &before, &left, each, ctx, why);
	} while (status == 0 && left > 0 && had - left == AT_A_TIME);
	return status;
}

int
store_run_states(struct store *s, bool are_running, store_state_each *each,
    void *ctx, struct why *why)
{
	/* the first is answered from the index alone */
	static const char running[] = "SELECT id, run_status, seen_ns,"
	    " 0, 0, 0, 0, 0, 0 FROM run INDEXED BY open WHERE run_status = 2"
	    " ORDER BY id";
	static const char all[] = "SELECT id, run_status,"
	    " CASE WHEN seen_ns > ended_ns THEN seen_ns ELSE ended_ns END,"
	    " created_ns, first_ns, last_ns, tens_to, minutes_to, roll_to"
	    " FROM run ORDER BY id";
	enum { ID, RUN_STATUS, SEEN_NS, CREATED_NS, FIRST_NS, LAST_NS,
		TENS_TO, MINUTES_TO, ROLL_TO };
	struct store_stmt p = store_prepare(s, are_running ? running : all,
	    why);
	struct store_run_state r;
	int status = 0;

	if (p.sql == NULL)
		return -1;
	while (store_next(&p, &status, why)) {
		r.run = store_get_int(&p, ID);
		r.run_status = (int)store_get_int(&p, RUN_STATUS);
		r.seen_ns = store_get_int(&p, SEEN_NS);
		r.created_ns = store_get_int(&p, CREATED_NS);
		r.first_ns = store_get_int(&p, FIRST_NS);
		r.last_ns = store_get_int(&p, LAST_NS);
		r.rolled = (struct store_rolled){
		    store_get_int(&p, TENS_TO),
		    store_get_int(&p, MINUTES_TO) };
		r.is_rolling = store_get_int(&p, ROLL_TO) != 0;
		status = each(ctx, &r);
	}
	return status;
}

int64_t
store_size(struct store *s, struct why *why)
{
	struct store_stmt p = store_prepare(s, s->engine->texts[ENGINE_SIZE],
	    why);

	return p.sql == NULL ? -1 : store_one_int(&p, why);
}
