/* SPDX-License-Identifier: MIT */
/* The table of instances: the last state that each pusher of a run reported. */
#include "k6serve/store/store_instance.h"

#include <string.h>

#include "base/buf.h"
#include "k6serve/store/store_priv.h"

/* A name, which is one line, is stored with the id of its push behind it, on a
 * line of its own. All instances of a name lie between these two, together with
 * one without an id. */
#define IS_NAMESAKE(name, from, to) \
	"(name = " name " OR (name > " from " AND name < " to "))"

struct names {
	struct buf own, from, to;
};

static struct names
names_of(const struct store_instance *i)
{
	struct names n = { 0 };

	buf_span(&n.own, i->name);
	if (i->id.n > 0)
		buf_printf(&n.own, "\n%.*s", (int)i->id.n, i->id.p);
	buf_span(&n.from, i->name);
	buf_char(&n.from, '\n');
	buf_span(&n.to, i->name);
	buf_char(&n.to, '\n' + 1);
	return n;
}

static void
names_release(struct names *n)
{
	buf_release(&n->own);
	buf_release(&n->from);
	buf_release(&n->to);
}

/* A new one is in the place of those of its name that have ended. */
static enum store_result
replace_ended(struct store *s, const char *owner,
    const struct store_instance *i, const struct names *n, struct why *why)
{
	static const char ended[] = "DELETE FROM instance WHERE run = ?1"
	    " AND run_status != 2 AND " IS_NAMESAKE("?2", "?3", "?4")
	    " AND NOT EXISTS (SELECT 1 FROM instance WHERE run = ?1"
	    " AND name = ?5) AND " STORE_SEES("?6", "?1");
	struct store_stmt p = store_prepare(s, ended, why);

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, i->run);
	store_bind_text(&p, i->name);
	store_bind_text(&p, buf_whole(&n->from));
	store_bind_text(&p, buf_whole(&n->to));
	store_bind_text(&p, buf_whole(&n->own));
	store_bind_owner(&p, owner);
	return store_run_sql(&p, why) < 0 ? store_failure(s) : STORE_DONE;
}

static enum store_result
put(struct store *s, const char *owner, const struct store_instance *i,
    struct span name, struct why *why)
{
	static const char upsert[] = "INSERT INTO instance(run, name,"
	    " run_status, result_status, results, seen_ns)"
	    " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE " STORE_SEES("?7", "?1")
	    " ON CONFLICT(run, name) DO UPDATE SET run_status ="
	    " excluded.run_status, result_status = excluded.result_status,"
	    " results = excluded.results, seen_ns = excluded.seen_ns";
	struct store_stmt p = store_prepare(s, upsert, why);

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, i->run);
	store_bind_text(&p, name);
	store_bind_int(&p, i->run_status);
	store_bind_int(&p, i->result_status);
	store_bind_text(&p, i->results);
	store_bind_int(&p, i->seen_ns);
	store_bind_owner(&p, owner);
	return store_change(&p, why);
}

static bool
is_one_line(struct span text)
{
	return text.n == 0 || memchr(text.p, '\n', text.n) == NULL;
}

static enum store_result
check(const struct store_instance *i, struct why *why)
{
	if (is_one_line(i->name) && is_one_line(i->id))
		return store_check_size("the results of thresholds",
		    i->results, STORE_OBJECT, why);
	(void)why_set(why, "the name of an instance is one line");
	return STORE_TOO_MUCH;
}

enum store_result
store_instance_put(struct store *s, const char *owner,
    const struct store_instance *i, struct why *why)
{
	enum store_result result = check(i, why);
	struct names n;

	if (result != STORE_DONE)
		return result;
	n = names_of(i);
	result = replace_ended(s, owner, i, &n, why);
	if (result == STORE_DONE)
		result = put(s, owner, i, buf_whole(&n.own), why);
	names_release(&n);
	return result;
}

int64_t
store_instance_namesakes(struct store *s, const struct store_instance *i,
    struct why *why)
{
	static const char count[] = "SELECT count(*) FROM instance"
	    " WHERE run = ?1 AND run_status = 2 AND "
	    IS_NAMESAKE("?2", "?3", "?4") " AND name != ?5";
	struct store_stmt p = store_prepare(s, count, why);
	struct names n;
	int64_t others;

	if (p.sql == NULL)
		return -1;
	n = names_of(i);
	store_bind_int(&p, i->run);
	store_bind_text(&p, i->name);
	store_bind_text(&p, buf_whole(&n.from));
	store_bind_text(&p, buf_whole(&n.to));
	store_bind_text(&p, buf_whole(&n.own));
	others = store_one_int(&p, why);
	names_release(&n);
	return others;
}

/* Take the name apart again. */
static void
read_name(struct span text, struct store_instance *i)
{
	const char *end = text.n > 0 ? memrchr(text.p, '\n', text.n) : NULL;

	i->name = text;
	i->id = (struct span){ NULL, 0 };
	if (end == NULL)
		return;
	i->name.n = (size_t)(end - text.p);
	i->id = (struct span){ end + 1, text.n - i->name.n - 1 };
}

int
store_instances(struct store *s, const struct store_instance_query *q,
    store_instance_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT name, run_status, result_status,"
	    " results, seen_ns FROM instance WHERE run = ?1 AND "
	    STORE_SEES("?2", "?1") " ORDER BY name";
	enum { NAME, RUN_STATUS, RESULT_STATUS, RESULTS, SEEN_NS };
	struct store_stmt p = store_prepare(s, select, why);
	struct store_instance i = { .run = q->run };
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->run);
	store_bind_owner(&p, q->owner);
	while (store_next(&p, &status, why)) {
		read_name(store_get_text(&p, NAME), &i);
		i.run_status = (int)store_get_int(&p, RUN_STATUS);
		i.result_status = (int)store_get_int(&p, RESULT_STATUS);
		i.results = store_get_text(&p, RESULTS);
		i.seen_ns = store_get_int(&p, SEEN_NS);
		status = each(ctx, &i);
	}
	return status;
}
