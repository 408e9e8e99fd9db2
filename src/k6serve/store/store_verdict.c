/* SPDX-License-Identifier: MIT */
/* The table of verdicts, and which runs are to be judged. */
#include "k6serve/store/store_verdict.h"

#include <math.h>

#include "k6serve/store/store_priv.h"

/* 1: it changed; 0: it is as before. */
static int
put_one(struct store *s, int64_t run, const struct store_verdict *v,
    struct why *why)
{
	static const char upsert[] = "INSERT INTO verdict(run, metric, source,"
	    " value, failed, crossed_ns) SELECT ?1, ?2, ?3, ?4, ?5, ?6"
	    " WHERE EXISTS (SELECT 1 FROM run WHERE id = ?1)"
	    " ON CONFLICT(run, metric, source) DO UPDATE SET"
	    " value = excluded.value, failed = excluded.failed,"
	    " crossed_ns = excluded.crossed_ns WHERE"
	    " verdict.value IS DISTINCT FROM excluded.value OR"
	    " verdict.failed IS DISTINCT FROM excluded.failed OR"
	    " verdict.crossed_ns != excluded.crossed_ns";
	struct store_stmt p = store_prepare(s, upsert, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_text(&p, v->metric);
	store_bind_text(&p, v->source);
	if (isfinite(v->value))
		store_bind_real(&p, v->value);
	else
		store_bind_null(&p, ENGINE_REAL);
	if (v->is_known)
		store_bind_int(&p, v->is_failed);
	else
		store_bind_null(&p, ENGINE_INT);
	store_bind_int(&p, v->crossed_ns);
	return store_run_sql(&p, why) < 0 ? -1 :
	    store_changes(s) > 0;
}

static enum store_result
put_all(struct store *s, const struct store_verdicts *v, struct why *why)
{
	static const char update[] = "UPDATE run SET judged_version ="
	    " CASE WHEN version = ?2 THEN version + ?6 ELSE ?2 END,"
	    " version = version + ?6,"
	    " result_status = CASE WHEN ?3 != 0 THEN ?4"
	    " ELSE result_status END,"
	    " results = CASE WHEN ?3 != 0 THEN ?5 ELSE results END"
	    " WHERE id = ?1";
	struct store_stmt p;
	size_t i;
	int changed = v->is_ours, status;

	for (i = 0; i < v->n; i++) {
		status = put_one(s, v->run, &v->list[i], why);
		if (status < 0)
			return store_failure(s);
		changed |= status;
	}
	p = store_prepare(s, update, why);
	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, v->run);
	store_bind_int(&p, v->version);
	store_bind_int(&p, v->is_ours);
	store_bind_int(&p, v->is_failed);
	store_bind_text(&p, v->results);
	store_bind_int(&p, changed);
	return store_run_sql(&p, why) < 0 ? store_failure(s)
	    : STORE_DONE;
}

enum store_result
store_verdicts_put(struct store *s, const struct store_verdicts *v,
    struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, put_all(s, v, why), why);
}

int64_t
store_unjudged(struct store *s, int64_t after, struct why *why)
{
	static const char select[] = "SELECT id FROM run INDEXED BY unjudged"
	    " WHERE thresholds != '{}' AND judged_version < version"
	    " AND id > ? ORDER BY id LIMIT 1";
	struct store_stmt p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, after);
	return store_one_int(&p, why);
}

int
store_verdicts(struct store *s, const struct store_verdict_query *q,
    store_verdict_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT metric, source, value, failed,"
	    " crossed_ns FROM verdict WHERE run = ?1 AND "
	    STORE_SEES("?2", "?1") " ORDER BY metric, source";
	enum { METRIC, SOURCE, VALUE, FAILED, CROSSED_NS };
	struct store_stmt p = store_prepare(s, select, why);
	struct store_verdict v;
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->run);
	store_bind_owner(&p, q->owner);
	while (store_next(&p, &status, why)) {
		v.metric = store_get_text(&p, METRIC);
		v.source = store_get_text(&p, SOURCE);
		v.is_known = !store_is_null(&p, FAILED);
		v.value = store_is_null(&p, VALUE) ? NAN :
		    store_get_real(&p, VALUE);
		v.is_failed = (int)store_get_int(&p, FAILED) != 0;
		v.crossed_ns = store_get_int(&p, CROSSED_NS);
		status = each(ctx, &v);
	}
	return status;
}
