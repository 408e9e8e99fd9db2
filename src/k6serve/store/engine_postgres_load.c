/* SPDX-License-Identifier: MIT */
/* Writes many rows at once in PostgreSQL: COPY in its binary form. */
#ifdef K6PIPE_LIBPQ

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "k6serve/store/engine_postgres_priv.h"

enum { PIECE = 64 * 1024 };	/* bytes that are handed to libpq at once */

struct engine_load {
	struct postgres_session *q;
	int columns;
	uint64_t narrow;	/* those of 4 bytes: a bit for each */
	struct buf rows;	/* in the form of COPY */
};

/* The signature, no flags, no extension. */
static const char head[] = "PGCOPY\n\377\r\n\0" "\0\0\0\0" "\0\0\0\0";

static void
add_16(struct buf *b, int value)
{
	uint16_t n = htobe16((uint16_t)value);

	buf_add(b, &n, sizeof(n));
}

/* Which columns of "table(a, b)" have 4 bytes. -1: the failure is noted. */
static int
ask_narrow(struct postgres_session *q, const char *into, uint64_t *columns)
{
	enum { OID_INT4 = 23 };
	size_t n = strcspn(into, "(");
	struct buf text = { 0 };
	PGresult *result;
	int i, status = 0;

	*columns = 0;
	buf_printf(&text, "SELECT %.*s FROM %.*s LIMIT 0",
	    (int)(strlen(into) - n - 2), into + n + 1, (int)n, into);
	result = PQexec(q->connection, text.p);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		status = postgres_fail(q, result);
	for (i = 0; i < PQnfields(result); i++)
		if (PQftype(result, i) == OID_INT4)
			*columns |= (uint64_t)1 << i;
	PQclear(result);
	buf_release(&text);
	return status;
}

/* The same; it is asked for once, and kept. */
static int
find_narrow(struct postgres_session *q, const char *into, uint64_t *columns)
{
	struct postgres_narrow *place = q->narrow;

	while (place < &q->narrow[POSTGRES_TABLES - 1] && place->into != into &&
	    place->into != NULL)
		place++;
	if (place->into != into) {
		place->into = NULL;
		if (ask_narrow(q, into, &place->columns) < 0)
			return -1;
		place->into = into;
	}
	*columns = place->columns;
	return 0;
}

struct engine_load *
postgres_load_begin(void *session, const char *into, int columns,
    struct why *why)
{
	struct postgres_session *q = session;
	struct buf text = { 0 };
	struct engine_load *l;
	PGresult *result;
	uint64_t narrow;
	bool is_good;

	if (find_narrow(q, into, &narrow) < 0) {
		(void)why_set(why, "%s", q->failure.text);
		return NULL;
	}
	buf_printf(&text, "COPY %s FROM STDIN (FORMAT binary)", into);
	buf_add(&text, "", 1);
	result = PQexec(q->connection, text.p);
	buf_release(&text);
	is_good = PQresultStatus(result) == PGRES_COPY_IN;
	if (!is_good)
		(void)postgres_fail(q, result);
	PQclear(result);
	if (!is_good) {
		(void)why_set(why, "%s", q->failure.text);
		return NULL;
	}
	l = xcalloc(1, sizeof(*l));
	l->q = q;
	l->columns = columns;
	l->narrow = narrow;
	buf_add(&l->rows, head, sizeof(head) - 1);
	return l;
}

static int
put(struct engine_load *l, struct why *why)
{
	if (PQputCopyData(l->q->connection, l->rows.p, (int)l->rows.n) != 1) {
		(void)postgres_fail(l->q, NULL);
		return why_set(why, "%s", l->q->failure.text);
	}
	buf_reset(&l->rows);
	return 0;
}

int
postgres_load_row(struct engine_load *l, const struct engine_value *row,
    struct why *why)
{
	int i;

	add_16(&l->rows, l->columns);
	for (i = 0; i < l->columns; i++)
		postgres_put_value(&l->rows, &row[i],
		    (l->narrow >> i & 1) != 0);
	return l->rows.n < PIECE ? 0 : put(l, why);
}

/* What the server found; what was lost on the way is told by the connection. */
static int
take_result(struct postgres_session *q, struct why *why)
{
	PGresult *result;
	int status = 0;

	while ((result = PQgetResult(q->connection)) != NULL) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK && status == 0)
			status = postgres_fail(q, result);
		PQclear(result);
	}
	if (status == 0 && !postgres_is_connected(q))
		status = postgres_fail(q, NULL);
	return status < 0 ? why_set(why, "%s", q->failure.text) : 0;
}

int
postgres_load_end(struct engine_load *l, struct why *why)
{
	struct postgres_session *q = l->q;
	int status;

	add_16(&l->rows, -1);
	status = put(l, why);
	if (status == 0 && PQputCopyEnd(q->connection, NULL) != 1) {
		(void)postgres_fail(q, NULL);
		status = why_set(why, "%s", q->failure.text);
	}
	if (status == 0)
		status = take_result(q, why);
	buf_release(&l->rows);
	free(l);
	return status;
}

/* Within a COPY a session is active for PostgreSQL, so that neither its limits
 * for idle sessions nor that for statements end it. The session of "k6serve
 * copy" has another name, as its COPY may well take so long. */
void
postgres_end_paused(struct postgres_session *q)
{
	static const char end[] = "SELECT pg_terminate_backend(pid)"
	    " FROM pg_stat_activity WHERE datname = current_database()"
	    " AND usename = session_user AND application_name ="
	    " current_setting('application_name')"
	    " AND pid <> pg_backend_pid() AND state = 'active'"
	    " AND wait_event = 'ClientRead' AND query LIKE 'COPY %'"
	    " AND query_start < clock_timestamp() - interval '30 s'";

	(void)postgres_execute(q, end);
}

#else

/* A file of C must not be empty. */
extern const int engine_postgres_load_is_left_out;

#endif
