/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL as an engine. A statement is prepared when it is first run in a
 * connection, as only then the types of its parameters are known. All rows of
 * a result are in memory: statements may be run while those of another are
 * read.
 */
#ifdef K6PIPE_LIBPQ

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "k6serve/store/engine_postgres_priv.h"

enum { PARAMETERS = 24, OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25,
	OID_FLOAT8 = 701 };

struct engine_stmt {
	struct postgres_session *q;
	char *sql;		/* in PostgreSQL's form */
	char name[24];
	uint64_t generation;	/* of the connection that has it prepared */
	bool is_control;	/* BEGIN, COMMIT, ROLLBACK */
	bool is_read;		/* may be run again */
	int n;			/* parameters */
	Oid types[PARAMETERS];
	const char *values[PARAMETERS];
	int lengths[PARAMETERS], formats[PARAMETERS];
	uint64_t numbers[PARAMETERS];	/* big-endian, as they are sent */
	struct buf arrays[PARAMETERS];	/* or these */
	PGresult *result;	/* NULL: it was not run */
	int row;
};

/* Skip the name behind INDEXED BY. */
static const char *
skip_index(const char *p)
{
	p += strlen("INDEXED BY ");
	return p + strspn(p, "abcdefghijklmnopqrstuvwxyz_");
}

/* From ?, ?N to $N, without what is for SQLite alone, and with what is for
 * PostgreSQL alone. */
static char *
translate(const char *p)
{
	static const char lock[] = "/* FOR UPDATE */";
	struct buf out = { 0 };
	int n = 0;

	while (*p != '\0') {
		if (strncmp(p, "INDEXED BY ", 11) == 0) {
			p = skip_index(p);
		} else if (strncmp(p, lock, sizeof(lock) - 1) == 0) {
			buf_text(&out, "FOR UPDATE");
			p += sizeof(lock) - 1;
		} else if (*p == '?' && p[1] >= '1' && p[1] <= '9') {
			buf_text(&out, "$");
			p++;
		} else if (*p == '?') {
			buf_printf(&out, "$%d", ++n);
			p++;
		} else {
			buf_add(&out, p++, 1);
		}
	}
	buf_add(&out, "", 1);
	return out.p;
}

static struct engine_stmt *
prepare(void *session, const char *text, struct why *why)
{
	struct engine_stmt *st = xcalloc(1, sizeof(*st));

	(void)why;
	st->q = session;
	st->sql = translate(text);
	(void)snprintf(st->name, sizeof(st->name), "s%p", (void *)st);
	st->is_control = strncmp(text, "BEGIN", 5) == 0 ||
	    strcmp(text, "COMMIT") == 0 || strcmp(text, "ROLLBACK") == 0;
	st->is_read = strncmp(text, "SELECT ", 7) == 0 ||
	    strncmp(text, "WITH ", 5) == 0;
	return st;
}

static void
reset(struct engine_stmt *st)
{
	PQclear(st->result);
	st->result = NULL;
	st->n = 0;
}

static void
finalize(struct engine_stmt *st)
{
	int i;

	reset(st);
	for (i = 0; i < PARAMETERS; i++)
		buf_release(&st->arrays[i]);
	free(st->sql);
	free(st);
}

static void
bind(struct engine_stmt *st, int at, Oid type, const void *value, size_t n)
{
	if (at > PARAMETERS)
		abort();	/* a statement of ours has too many */
	st->types[at - 1] = type;
	st->values[at - 1] = value;
	st->lengths[at - 1] = (int)n;
	st->formats[at - 1] = 1;
	if (at > st->n)
		st->n = at;
}

static void
bind_null(struct engine_stmt *st, int at, enum engine_type type)
{
	static const Oid oids[] = { [ENGINE_INT] = OID_INT8,
	    [ENGINE_REAL] = OID_FLOAT8, [ENGINE_TEXT] = OID_TEXT,
	    [ENGINE_BLOB] = OID_BYTEA };

	bind(st, at, oids[type], NULL, 0);
}

static void
bind_int(struct engine_stmt *st, int at, int64_t value)
{
	st->numbers[at - 1] = htobe64((uint64_t)value);
	bind(st, at, OID_INT8, &st->numbers[at - 1], sizeof(uint64_t));
}

static void
bind_real(struct engine_stmt *st, int at, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	st->numbers[at - 1] = htobe64(bits);
	bind(st, at, OID_FLOAT8, &st->numbers[at - 1], sizeof(uint64_t));
}

static void
bind_bytes(struct engine_stmt *st, int at, enum engine_type type,
    struct span bytes)
{
	bind(st, at, type == ENGINE_BLOB ? OID_BYTEA : OID_TEXT,
	    bytes.p != NULL ? bytes.p : "", bytes.n);
}

static void
bind_array(struct engine_stmt *st, int at, const struct engine_value *first,
    size_t stride, size_t n)
{
	struct buf *array = &st->arrays[at - 1];
	Oid type = postgres_put_array(array, first, stride, n);

	bind(st, at, type, array->p, array->n);
}

/* Is the transaction as sound as before? A lost connection has ended it. */
static bool
is_in_transaction(void *session)
{
	const struct postgres_session *q = session;

	return q->has_begun && postgres_is_connected(q) &&
	    PQtransactionStatus(q->connection) == PQTRANS_INTRANS;
}

static bool
has_transaction(void *session)
{
	const struct postgres_session *q = session;

	return q->has_begun;
}

/* BEGIN finds out that the server went away meanwhile, and goes to the next.
 * What a lost connection had begun the server has undone. */
static int
run_control(struct engine_stmt *st)
{
	struct postgres_session *q = st->q;
	bool begins = st->sql[0] == 'B';
	int status;

	if (st->sql[0] == 'R')
		q->has_begun = postgres_is_connected(q);
	if (st->sql[0] == 'R' && !q->has_begun)
		return 0;
	if (begins && q->was_locked_out && postgres_connect(q) == 0) {
		q->was_locked_out = false;
		postgres_end_paused(q);
	}
	status = postgres_connect(q) < 0 ? -1 : postgres_execute(q, st->sql);
	if (status < 0 && begins && !postgres_is_connected(q))
		status = postgres_connect(q) < 0 ? -1 :
		    postgres_execute(q, st->sql);
	q->has_begun = begins ? status == 0 : st->sql[0] == 'C' && status < 0;
	return status;
}

static int
run_once(struct engine_stmt *st)
{
	struct postgres_session *q = st->q;
	ExecStatusType status;
	PGresult *result;

	if (postgres_connect(q) < 0)
		return -1;
	if (st->generation != q->generation) {
		result = postgres_prepare(q, st->name, st->sql, st->n,
		    st->types);
		status = PQresultStatus(result);
		if (status != PGRES_COMMAND_OK)
			(void)postgres_fail(q, result);
		PQclear(result);
		if (status != PGRES_COMMAND_OK)
			return -1;
		st->generation = q->generation;
	}
	st->result = postgres_run(q, st->name, st->n, st->values, st->lengths,
	    st->formats);
	status = PQresultStatus(st->result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return postgres_fail(q, st->result);
	q->state[0] = '\0';
	q->changes = strtoll(PQcmdTuples(st->result), NULL, 10);
	return 0;
}

/* What only reads is asked again by a new connection. */
static int
run(struct engine_stmt *st)
{
	struct postgres_session *q = st->q;
	int status;

	if (st->is_control)
		return run_control(st);
	status = run_once(st);
	if (status < 0 && st->is_read && !q->has_begun &&
	    !postgres_is_connected(q)) {
		PQclear(st->result);
		st->result = NULL;
		status = run_once(st);
	}
	return status;
}

static enum engine_step
step(struct engine_stmt *st)
{
	if (st->result == NULL) {
		if (run(st) < 0)
			return ENGINE_FAILED;
		st->row = -1;
	}
	if (st->result == NULL)
		return ENGINE_DONE;
	return ++st->row < PQntuples(st->result) ? ENGINE_ROW : ENGINE_DONE;
}

static bool
is_null(struct engine_stmt *st, int column)
{
	return PQgetisnull(st->result, st->row, column) != 0;
}

/* Integers of any width, and truth values. */
static int64_t
get_int(struct engine_stmt *st, int column)
{
	const char *p = PQgetvalue(st->result, st->row, column);
	int n = is_null(st, column) ? 0 :
	    PQgetlength(st->result, st->row, column);
	uint64_t wide;
	uint32_t half;

	switch (n) {
	case sizeof(wide):
		memcpy(&wide, p, sizeof(wide));
		return (int64_t)be64toh(wide);
	case sizeof(half):
		memcpy(&half, p, sizeof(half));
		return (int32_t)be32toh(half);
	case 1:
		return *p;
	default:
		return 0;
	}
}

static double
get_real(struct engine_stmt *st, int column)
{
	uint64_t bits = (uint64_t)get_int(st, column);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static struct span
get_bytes(struct engine_stmt *st, int column, enum engine_type type)
{
	(void)type;
	if (is_null(st, column))
		return (struct span){ NULL, 0 };
	return (struct span){ PQgetvalue(st->result, st->row, column),
	    (size_t)PQgetlength(st->result, st->row, column) };
}

static int64_t
changes(void *session)
{
	const struct postgres_session *q = session;

	return q->changes;
}

static int
tell_why(void *session, struct why *why)
{
	const struct postgres_session *q = session;

	return why_set(why, "%s", q->failure.text);
}

static int
enter(void *session, struct why *why)
{
	return postgres_connect(session) < 0 ? tell_why(session, why) : 0;
}

/* A COMMIT of a failed transaction is a ROLLBACK, and no failure. */
static int
leave(void *session, struct why *why)
{
	return is_in_transaction(session) ? 0 : tell_why(session, why);
}

static void
left(void *session)
{
	(void)session;
}

/* Asked of the server, so that a dead connection is found out. */
static int
check_schema(void *session, struct why *why)
{
	struct postgres_session *q = session;
	int version = postgres_schema_version(q);

	if (version < 0 && !postgres_is_connected(q) &&
	    postgres_connect(q) == 0)
		version = postgres_schema_version(q);
	if (version < 0)
		return tell_why(q, why);
	return version == POSTGRES_SCHEMA ? 0 : why_set(why, "the schema is "
	    "%d, this k6serve knows %d", version, POSTGRES_SCHEMA);
}

static bool
is_misplaced(const void *session)
{
	(void)session;
	return false;
}

static void
watch(void *session, bool (*is_unwanted)(void *ctx), void *ctx)
{
	struct postgres_session *q = session;

	q->is_unwanted = is_unwanted;
	q->watch = ctx;
}

static void
hurry(void *session)
{
	struct postgres_session *q = session;

	q->is_hurried = true;
}

static void
limit(void *session, int64_t silence_ms)
{
	struct postgres_session *q = session;

	q->silence_ms = silence_ms;
}

/* Kinds of SQLSTATE; the first that fits counts. */
static const struct {
	const char *state;	/* its beginning */
	enum store_result result;
} kinds[] = {
	{ "08", STORE_BUSY },		/* connection */
	{ "40", STORE_BUSY },		/* serialization, deadlock */
	{ "53300", STORE_BUSY },	/* too many connections */
	{ "53", STORE_FULL },		/* disk, memory */
	{ "58", STORE_FULL },		/* input and output */
	{ "57", STORE_BUSY },		/* shut down, starting, cancelled */
	{ "55", STORE_BUSY },		/* a lock was not to be had */
	{ "25", STORE_BUSY },		/* a standby; a failed transaction */
	{ "23505", STORE_BUSY },	/* another k6serve was first */
	{ "22", STORE_TOO_MUCH },	/* values that cannot be kept */
	{ "23", STORE_TOO_MUCH },
	{ "54", STORE_TOO_MUCH },
	{ "", STORE_FAILED },
};

static enum store_result
failure(void *session)
{
	const struct postgres_session *q = session;
	size_t i = 0;

	while (strncmp(q->state, kinds[i].state, strlen(kinds[i].state)) != 0)
		i++;
	return kinds[i].result;
}

static bool
is_conflict(void *session)
{
	const struct postgres_session *q = session;

	return strcmp(q->state, "23505") == 0;
}

const struct engine engine_postgres = {
	.texts = postgres_texts,
	.open_again = postgres_open_again, .close = postgres_close,
	.enter = enter, .leave = leave, .left = left,
	.is_in_transaction = is_in_transaction,
	.has_transaction = has_transaction, .check_schema = check_schema,
	.is_misplaced = is_misplaced, .watch = watch, .hurry = hurry,
	.limit = limit, .abandon = postgres_abandon,
	.prepare = prepare,
	.finalize = finalize, .bind_null = bind_null, .bind_int = bind_int,
	.bind_real = bind_real, .bind_bytes = bind_bytes,
		.bind_array = bind_array,
	.step = step,
	.reset = reset, .is_null = is_null, .get_int = get_int,
	.get_real = get_real, .get_bytes = get_bytes, .changes = changes,
	.load_begin = postgres_load_begin, .load_row = postgres_load_row,
	.load_end = postgres_load_end,
	.why = tell_why, .failure = failure, .is_conflict = is_conflict,
};

#else

/* A file of C must not be empty. */
extern const int engine_postgres_is_left_out;

#endif
