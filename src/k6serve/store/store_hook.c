/* SPDX-License-Identifier: MIT */
/* The table of deliveries that are due. */
#include "k6serve/store/store_hook.h"

#include <stdio.h>

#include "base/random.h"
#include "data/run.h"
#include "k6serve/store/store_priv.h"

enum { HOOK_ID = 16 };	/* random bytes of one */

void
store_hook_keep(struct store *s)
{
	s->keeps_hooks = true;
}

int
store_hook_add(struct store *s, int64_t run, struct why *why)
{
	static const char insert[] = "INSERT INTO hook(run, id, told)"
	    " VALUES(?, ?, 0)";
	char id[2 * HOOK_ID + 1];
	struct store_stmt p;

	if (!s->keeps_hooks)
		return 0;
	p = store_prepare(s, insert, why);
	if (p.sql == NULL)
		return -1;
	random_hex(id, HOOK_ID);
	store_bind_int(&p, run);
	store_bind_text(&p, span_of(id));
	return store_run_sql(&p, why);
}

int
store_hook_next(struct store *s, int64_t after, struct store_hook *hook,
    struct why *why)
{
	static const char select[] = "SELECT h.run, r.run_status, h.id"
	    " FROM hook h JOIN run r ON r.id = h.run WHERE h.run > ?1"
	    " AND r.run_status != ?2 AND r.run_status != h.told"
	    " AND (r.thresholds = '{}' OR r.judged_version >= r.version)"
	    " ORDER BY h.run LIMIT 1";
	enum { RUN, STATUS, ID };
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, after);
	store_bind_int(&p, RUN_RUNNING);
	found = store_step(&p, why);
	if (found > 0) {
		hook->run = store_get_int(&p, RUN);
		hook->run_status = (int)store_get_int(&p, STATUS);
		(void)snprintf(hook->id, sizeof(hook->id), "%s",
		    store_get_text(&p, ID).p);
	}
	store_reset(&p);
	return found;
}

static enum store_result
note_done(struct store *s, const struct store_hook *hook, struct why *why)
{
	static const char update[] = "UPDATE hook SET told = ?2 WHERE run = ?1";
	static const char delete[] = "DELETE FROM hook WHERE run = ?1";
	bool may_go_on = hook->run_status == RUN_TIMED_OUT;
	struct store_stmt p = store_prepare(s, may_go_on ? update : delete,
	    why);

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, hook->run);
	if (may_go_on)
		store_bind_int(&p, hook->run_status);
	return store_run_sql(&p, why) < 0 ? store_failure(s) :
	    STORE_DONE;
}

enum store_result
store_hook_done(struct store *s, const struct store_hook *hook,
    struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return store_conclude(s, note_done(s, hook, why), why);
}
