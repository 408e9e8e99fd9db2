/* SPDX-License-Identifier: MIT */
/* The table of instances: what each generator of a run last told. */
#include "k6serve/store/store_instance.h"

#include "k6serve/store/store_priv.h"

enum store_result
store_instance_put(struct store *s, const char *owner,
    const struct store_instance *i, struct why *why)
{
	static const char upsert[] = "INSERT INTO instance(run, name,"
	    " run_status, result_status, results, seen_ns)"
	    " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE " STORE_SEES("?7", "?1")
	    " ON CONFLICT(run, name) DO UPDATE SET run_status ="
	    " excluded.run_status, result_status = excluded.result_status,"
	    " results = excluded.results, seen_ns = excluded.seen_ns";
	struct store_params p = store_prepare(s, upsert, why);

	if (p.sql == NULL)
		return store_failure(s);
	if (store_check_size("the results of thresholds", i->results,
	    STORE_OBJECT, why) != STORE_DONE)
		return STORE_TOO_MUCH;
	store_bind_int(&p, i->run);
	store_bind_text(&p, i->name);
	store_bind_int(&p, i->run_status);
	store_bind_int(&p, i->result_status);
	store_bind_text(&p, i->results);
	store_bind_int(&p, i->seen_ns);
	store_bind_owner(&p, owner);
	return store_change(s, p.sql, why);
}

int
store_instances(struct store *s, const struct store_instance_query *q,
    store_instance_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT name, run_status, result_status,"
	    " results, seen_ns FROM instance WHERE run = ?1 AND "
	    STORE_SEES("?2", "?1") " ORDER BY name";
	enum { NAME, RUN_STATUS, RESULT_STATUS, RESULTS, SEEN_NS };
	struct store_params p = store_prepare(s, select, why);
	struct store_instance i = { .run = q->run };
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->run);
	store_bind_owner(&p, q->owner);
	while (store_next(s, p.sql, &status, why)) {
		i.name = store_text(p.sql, NAME);
		i.run_status = sqlite3_column_int(p.sql, RUN_STATUS);
		i.result_status = sqlite3_column_int(p.sql, RESULT_STATUS);
		i.results = store_text(p.sql, RESULTS);
		i.seen_ns = sqlite3_column_int64(p.sql, SEEN_NS);
		status = each(ctx, &i);
	}
	return status;
}
