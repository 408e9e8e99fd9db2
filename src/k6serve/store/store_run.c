/* SPDX-License-Identifier: MIT */
/* The table of runs. */
#include "k6serve/store/store_run.h"

#include "base/random.h"
#include "data/run.h"
#include "k6serve/store/store_lease.h"
#include "k6serve/store/store_priv.h"

enum { OWN_KEY = 32 };	/* digits, for a run whose maker sent no key */

/* The run that a key made; 0: none; -1: why. */
static int64_t
run_of_key(struct store *s, struct span key, struct why *why)
{
	static const char select[] = "SELECT id FROM run"
	    " WHERE create_key = ?";
	struct store_stmt p;

	if (key.n == 0)
		return 0;
	p = store_prepare(s, select, why);
	if (p.sql == NULL)
		return -1;
	store_bind_text(&p, key);
	return store_one_int(&p, why);
}

static enum store_result
insert_run(struct store *s, struct store_run *r, struct span key,
    struct why *why)
{
	static const char insert[] = "INSERT INTO run(create_key, name,"
	    " project, vus, planned_s, thresholds, run_status, created_ns,"
	    " seen_ns, agent, owner, is_judged, instances, results,"
	    " result_status, is_late,"
	    " ended_ns, first_ns, last_ns, step_s, requests, points, version)"
	    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}', 0, 0,"
	    " 0, 0, 0, 1, 0, 0, 1) RETURNING id";
	char own_key[OWN_KEY + 1];
	struct store_stmt p;

	if (store_check_size("the thresholds", r->thresholds, STORE_OBJECT,
	    why) != STORE_DONE || store_check_size("the idempotency key", key,
	    STORE_KEY, why) != STORE_DONE)
		return STORE_TOO_MUCH;
	r->id = run_of_key(s, key, why);
	if (r->id > 0)
		return STORE_DUPLICATE;
	if (r->id < 0)
		return store_failure(s);
	p = store_prepare(s, insert, why);
	if (p.sql == NULL)
		return store_failure(s);
	if (key.n == 0) {
		random_hex(own_key, OWN_KEY / 2);
		key = (struct span){ own_key, OWN_KEY };
	}
	store_bind_text(&p, key);
	store_bind_text(&p, r->name);
	store_bind_int(&p, r->project);
	store_bind_int(&p, r->vus);
	store_bind_int(&p, r->planned_s);
	store_bind_text(&p, r->thresholds);
	store_bind_int(&p, RUN_RUNNING);
	store_bind_int(&p, r->created_ns);
	store_bind_int(&p, r->created_ns);
	store_bind_text(&p, r->agent);
	store_bind_text(&p, r->owner);
	store_bind_int(&p, r->is_judged);
	store_bind_int(&p, r->instances);
	r->id = store_one_int(&p, why);
	if (r->id < 0)
		return store_failure(s);
	store_touch(s, r->id);
	return store_hook_add(s, r->id, why) < 0 ? store_failure(s) :
	    STORE_DONE;
}

enum store_result
store_run_add(struct store *s, struct store_run *r, struct span key,
    struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, insert_run(s, r, key, why), why);
}

static enum store_result
update_end(struct store *s, const char *owner, const struct store_run *r,
    struct why *why)
{
	static const char update[] = "UPDATE run SET run_status = ?2,"
	    " result_status = ?3, results = ?4, ended_ns = ?5,"
	    " created_ns = coalesce(nullif(?6, 0), created_ns),"
	    " start_ns = ?7, end_ns = ?8,"
	    " thresholds = coalesce(nullif(?9, ''), thresholds),"
	    " version = version + 1 WHERE id = ?1";
	struct store_state state;
	enum store_result result = store_state_lock(s, owner, r->id, &state,
	    why);
	struct store_stmt p;

	if (result == STORE_DONE && !store_state_is_open(&state))
		result = STORE_ENDED;
	if (result == STORE_DONE)
		result = store_check_size("the results of thresholds",
		    r->results, STORE_OBJECT, why);
	if (result != STORE_DONE)
		return result;
	p = store_prepare(s, update, why);
	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, r->id);
	store_bind_int(&p, r->run_status);
	store_bind_int(&p, r->result_status);
	store_bind_text(&p, r->results);
	store_bind_int(&p, r->ended_ns);
	store_bind_int(&p, r->created_ns);
	store_touch(s, r->id);
	store_bind_int(&p, r->start_ns);
	store_bind_int(&p, r->end_ns);
	store_bind_text(&p, r->thresholds);
	return store_run_sql(&p, why) < 0 ? store_failure(s)
	    : STORE_DONE;
}

enum store_result
store_run_end(struct store *s, const char *owner, const struct store_run *r,
    struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, update_end(s, owner, r, why), why);
}

enum store_result
store_run_note(struct store *s, const char *owner, int64_t run,
    struct span note, struct why *why)
{
	static const char update[] = "UPDATE run SET note = ?3,"
	    " version = version + 1 WHERE id = ?1 AND "
	    STORE_IS_SEEN_BY("?2");
	struct store_stmt p = store_prepare(s, update, why);

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, run);
	store_bind_owner(&p, owner);
	store_bind_text(&p, note);
	return store_change(&p, why);
}

static int
mark_baseline(struct store *s, int64_t run, bool is_baseline,
    struct why *why)
{
	static const char update[] = "UPDATE run SET is_baseline = ?2,"
	    " version = version + 1 WHERE id = ?1";
	struct store_stmt p = store_prepare(s, update, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_int(&p, is_baseline);
	return store_run_sql(&p, why);
}

static enum store_result
set_baseline(struct store *s, const char *owner, int64_t run,
    bool is_baseline, struct why *why)
{
	struct store_state state;
	enum store_result result = store_state_lock(s, owner, run, &state,
	    why);
	int64_t old;

	if (result != STORE_DONE)
		return result;
	old = store_run_baseline(s, run, why);
	if (old < 0)
		return store_failure(s);
	if ((old == run) == is_baseline)
		return STORE_DONE;
	if ((old != 0 && mark_baseline(s, old, false, why) < 0) ||
	    (is_baseline && mark_baseline(s, run, true, why) < 0))
		return store_failure(s);
	return STORE_DONE;
}

enum store_result
store_run_set_baseline(struct store *s, const char *owner, int64_t run,
    bool is_baseline, struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, set_baseline(s, owner, run, is_baseline,
	    why), why);
}

int64_t
store_run_baseline(struct store *s, int64_t run, struct why *why)
{
	static const char select[] = "SELECT id FROM run WHERE is_baseline = 1"
	    " AND name = (SELECT name FROM run WHERE id = ?1)"
	    " AND owner = (SELECT owner FROM run WHERE id = ?1)";
	struct store_stmt p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	return store_one_int(&p, why);
}

enum store_result
store_run_remove(struct store *s, const char *owner, int64_t run,
    struct why *why)
{
	static const char delete[] = "DELETE FROM run WHERE id = ?1 AND "
	    STORE_IS_SEEN_BY("?2");
	struct store_stmt p = store_prepare(s, delete, why);
	enum store_result result;

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, run);
	store_bind_owner(&p, owner);
	result = store_change(&p, why);
	if (result == STORE_DONE)
		store_leave_rest(s, run);
	return result;
}

enum store_result
store_run_retire(struct store *s, int64_t run, struct why *why)
{
	if (store_chore_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, store_run_remove(s, store_everybody, run,
	    why), why);
}

static enum store_result
time_out(struct store *s, int64_t run, int64_t seen_ns, struct why *why)
{
	static const char update[] = "UPDATE run SET run_status = 4,"
	    " version = version + 1"
	    " WHERE id = ?1 AND run_status = 2 AND seen_ns = ?2";
	struct store_stmt p = store_prepare(s, update, why);

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, run);
	store_bind_int(&p, seen_ns);
	return store_change(&p, why);
}

enum store_result
store_run_time_out(struct store *s, int64_t run, int64_t seen_ns,
    struct why *why)
{
	if (store_chore_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, time_out(s, run, seen_ns, why), why);
}

void
store_touch(struct store *s, int64_t run)
{
	if (s->touched.n != 0 && s->touched.runs[s->touched.n - 1] == run)
		return;
	s->touched.runs = xgrow(s->touched.runs, s->touched.n,
	    &s->touched.cap, sizeof(s->touched.runs[0]));
	s->touched.runs[s->touched.n++] = run;
}

size_t
store_touched(struct store *s, int64_t **runs)
{
	size_t n = s->touched.n;

	*runs = s->touched.runs;
	s->touched = (struct store_runs){ 0 };
	return n;
}
