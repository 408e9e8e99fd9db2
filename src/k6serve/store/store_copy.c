/* SPDX-License-Identifier: MIT */
/* Reads a run from one database, writes it to another, and reads it back from
 * there. */
#include "k6serve/store/store_copy.h"

#include "data/run.h"
#include "k6serve/store/store_numbers.h"
#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_rows.h"

/* A run on its way. */
struct copy {
	struct store *to;
	struct store_tally tally;	/* of what was read */
	struct store_numbers tag_sets, series;	/* that they get there, in the
						   order of their places */
	struct engine_load *load;	/* NULL: none is under way */
	enum store_table table;		/* it loads */
};

/* The number at a place, from 1; 0 stays. */
static int64_t
number_at(const struct store_numbers *list, int64_t place)
{
	return place < 1 || (size_t)place > list->n ? 0 : list->of[place - 1];
}

/* Have as many numbers as the text counts rows of the run. */
static int
reserve(struct store *from, int64_t run, const char *text, struct store *to,
    enum engine_text new, struct store_numbers *numbers, struct why *why)
{
	struct store_stmt p = store_prepare(from, text, why);
	int64_t n;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	n = store_one_int(&p, why);
	return n <= 0 ? (int)n :
	    store_numbers_reserve(numbers, to, new, (size_t)n, why);
}

static int
reserve_numbers(struct store *from, struct copy *c, int64_t run,
    struct why *why)
{
	static const char tag_sets[] = "SELECT count(*) FROM tagset"
	    " WHERE run = ?";
	static const char series[] = "SELECT count(*) FROM series"
	    " WHERE run = ?";

	return reserve(from, run, tag_sets, c->to, ENGINE_NEW_TAGSETS,
	    &c->tag_sets, why) < 0 ? -1 : reserve(from, run, series, c->to,
	    ENGINE_NEW_SERIES, &c->series, why);
}

static int
end_load(struct copy *c, struct why *why)
{
	struct engine_load *load = c->load;

	c->load = NULL;
	return load == NULL ? 0 : c->to->engine->load_end(load, why);
}

static int
load_row(struct copy *c, enum store_table table,
    const struct engine_value *row, int n, struct why *why)
{
	const struct engine *engine = c->to->engine;

	if (c->load == NULL) {
		c->load = engine->load_begin(c->to->session,
		    store_rows_into(table), n, why);
		c->table = table;
	}
	return c->load == NULL ? -1 : engine->load_row(c->load, row, why);
}

static int
insert_started(struct copy *c, const struct engine_value *row, int n,
    struct why *why)
{
	static const char insert[] = "INSERT INTO started(run, load_test,"
	    " hash) SELECT ?1, id, ?5 FROM load_test"
	    " WHERE project = ?2 AND name = ?3 AND owner = ?4";
	struct store_stmt p = store_prepare(c->to, insert, why);
	int i;

	if (p.sql == NULL)
		return -1;
	for (i = 0; i < n; i++)
		store_bind_value(&p, &row[i]);
	return store_run_sql(&p, why);
}

/* A row gets the next number. */
static int
load_numbered(struct copy *c, enum store_table table,
    struct store_numbers *numbers, const struct engine_value *row, int n,
    struct why *why)
{
	enum { ID, FIRST, TAG_SET = FIRST + 3 };
	struct engine_value there[STORE_COLUMNS];
	int i;

	if (numbers->taken == numbers->n)
		return why_set(why, "the source has more %s than it counts",
		    store_rows_name(table));
	there[ID] = store_int_value(numbers->of[numbers->taken++]);
	for (i = 0; i < n; i++)
		there[FIRST + i] = row[i];
	if (table == STORE_SERIES)
		there[TAG_SET].number = number_at(&c->tag_sets,
		    there[TAG_SET].number);
	return load_row(c, table, there, FIRST + n, why);
}

static int
load_point(struct copy *c, const struct engine_value *row, int n,
    struct why *why)
{
	struct engine_value there[STORE_COLUMNS];
	int i;

	for (i = 0; i < n; i++)
		there[i] = row[i];
	there[0].number = number_at(&c->series, row[0].number);
	return load_row(c, STORE_POINT, there, n, why);
}

static int
copy_row(void *ctx, enum store_table table, const struct engine_value *row,
    int n, struct why *why)
{
	struct copy *c = ctx;

	store_tally_add(&c->tally, table, row, n);
	if (table != c->table && end_load(c, why) < 0)
		return -1;
	switch (table) {
	case STORE_TAG_SETS:
		return load_numbered(c, table, &c->tag_sets, row, n, why);
	case STORE_SERIES:
		return load_numbered(c, table, &c->series, row, n, why);
	case STORE_STARTED:
		return insert_started(c, row, n, why);
	case STORE_POINT:
		return load_point(c, row, n, why);
	default:
		return load_row(c, table, row, n, why);
	}
}

/* Is the same there as was read? */
static enum store_copied
compare(const struct store_tally *here, const struct store_tally *there,
    struct why *why)
{
	enum store_table t = store_tally_compare(here, there);

	if (t == STORE_TABLES)
		return STORE_COPY_DONE;
	if (t == STORE_RUN)
		(void)why_set(why, "the target has another run of that "
		    "number, or changed it");
	else
		(void)why_set(why, "the target has other %s (%llu, the source"
		    " %llu)", store_rows_name(t),
		    (unsigned long long)there->rows[t],
		    (unsigned long long)here->rows[t]);
	return STORE_COPY_DIFFERS;
}

/* A row that cannot be kept there is a difference of that run alone. */
static enum store_copied
failed(struct store *to)
{
	return store_failure(to) == STORE_TOO_MUCH ||
	    to->engine->is_conflict(to->session) ? STORE_COPY_DIFFERS :
	    STORE_COPY_FAILED;
}

/* Within the transactions of both. */
static enum store_copied
copy_rows(struct store *from, struct copy *c, int64_t run, struct why *why)
{
	struct store_tally there;
	int status = reserve_numbers(from, c, run, why);

	if (status == 0)
		status = store_rows(from, run, copy_row, c, why);
	/* what the target found wrong is told as it ends, and comes first */
	if (c->load != NULL && end_load(c, why) < 0)
		status = -1;
	if (status < 0)
		return failed(c->to);
	if (store_tally_take(c->to, run, &there, why) < 0)
		return STORE_COPY_FAILED;
	return compare(&c->tally, &there, why);
}

static enum store_copied
compare_rows(struct store *from, struct store *to, int64_t run,
    struct why *why)
{
	struct store_tally here, there;
	enum store_copied copied;

	if (store_tally_take(from, run, &here, why) < 0 ||
	    store_tally_take(to, run, &there, why) < 0)
		return STORE_COPY_FAILED;
	copied = compare(&here, &there, why);
	return copied == STORE_COPY_DONE ? STORE_COPY_WAS_THERE : copied;
}

/* Is the run there? 1, 0, or -1 and why; samples and state, unless NULL. */
static int
find_run(struct store *s, int64_t run, int64_t *samples, int64_t *run_status,
    struct why *why)
{
	static const char select[] = "SELECT points, run_status FROM run"
	    " WHERE id = ?";
	enum { POINTS, RUN_STATUS };
	struct store_stmt p = store_prepare(s, select, why);
	int status;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	status = store_step(&p, why);
	if (status > 0 && samples != NULL) {
		*samples = store_get_int(&p, POINTS);
		*run_status = store_get_int(&p, RUN_STATUS);
	}
	store_reset(&p);
	return status;
}

static enum store_copied
copy_or_compare(struct store *from, struct store *to, int64_t run,
    bool takes_open, int64_t *samples, struct why *why)
{
	struct copy c = { .to = to, .table = STORE_TABLES };
	int64_t run_status = 0;
	int found = find_run(from, run, samples, &run_status, why);
	enum store_copied copied = STORE_COPY_FAILED;

	if (found == 0)
		return STORE_COPY_GONE;
	if (found > 0 && run_status < RUN_FINISHED && !takes_open)
		return STORE_COPY_OPEN;
	if (found > 0)
		found = find_run(to, run, NULL, NULL, why);
	if (found > 0)
		copied = compare_rows(from, to, run, why);
	else if (found == 0)
		copied = copy_rows(from, &c, run, why);
	store_numbers_release(&c.tag_sets);
	store_numbers_release(&c.series);
	return copied;
}

enum store_copied
store_copy_run(struct store *from, struct store *to, int64_t run,
    bool takes_open, int64_t *samples, struct why *why)
{
	enum store_copied copied;

	*samples = 0;
	if (store_read_begin(from, why) < 0)
		return STORE_COPY_FAILED;
	if (store_begin(to, why) < 0) {
		store_read_end(from);
		return STORE_COPY_FAILED;
	}
	copied = copy_or_compare(from, to, run, takes_open, samples, why);
	store_read_end(from);
	if (copied == STORE_COPY_DONE && store_commit(to, why) < 0)
		copied = STORE_COPY_FAILED;
	if (copied != STORE_COPY_DONE)
		store_rollback(to);
	return copied;
}

int64_t
store_copy_next(struct store *from, int64_t run, struct why *why)
{
	static const char select[] = "SELECT id FROM run WHERE id > ?"
	    " ORDER BY id LIMIT 1";
	struct store_stmt p = store_prepare(from, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	return store_one_int(&p, why);
}
