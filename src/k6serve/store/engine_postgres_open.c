/* SPDX-License-Identifier: MIT */
/* Connects to the server, and creates or migrates the tables. */
#include "k6serve/store/engine_postgres.h"

#ifdef K6PIPE_LIBPQ

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/units.h"
#include "k6serve/store/engine_postgres_priv.h"

enum {
	RETRY_MS = 1000,	/* after a failure to connect */
	TRIES = 5,		/* when several make the tables at a time */
	WATCH_MS = 20,		/* between two questions whether to go on */
	HURRY_MS = 1000,	/* for an answer, in a hurry, */
	DIAL_MS = 50,		/* and for a connection */
	CANCEL_MS = 3000,	/* for the end of what was cancelled */
};

static const char no_connection[] = "08006";

bool
engine_postgres_is_there(void)
{
	return true;
}

/* The first line of a message. */
static void
note(struct postgres_session *q, const char *state, const char *text)
{
	(void)snprintf(q->state, sizeof(q->state), "%s", state);
	/* it shuts down, or became one that takes no writes */
	if (strcmp(state, no_connection) == 0 || strcmp(state, "25006") == 0 ||
	    strncmp(state, "57P", 3) == 0)
		q->is_lost = true;
	q->was_locked_out |= strcmp(state, "55P03") == 0;
	(void)why_set(&q->failure, "%.*s", (int)strcspn(text, "\n"), text);
}

int
postgres_fail(struct postgres_session *q, const PGresult *result)
{
	const char *state = result == NULL ? NULL :
	    PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = result == NULL ? NULL :
	    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL && q->is_lost)
		return -1;	/* it was told when that was found out */
	if (state == NULL || text == NULL) {
		state = no_connection;
		text = PQerrorMessage(q->connection);
	}
	note(q, state, text[0] != '\0' ? text : "the connection was lost");
	return -1;
}

static void
ignore_notice(void *ctx, const PGresult *result)
{
	(void)ctx;
	(void)result;
}

/* Several hosts in the URL are libpq's to choose from: the one that takes
 * writes is wanted. What the URL says comes last, and wins. */
PGconn *
postgres_connect_to(const char *url)
{
	static const char *const names[] = { "connect_timeout",
	    "tcp_user_timeout", "keepalives_idle", "keepalives_interval",
	    "keepalives_count", "target_session_attrs", "application_name",
	    "client_encoding", "dbname", NULL };
	const char *const values[] = { "3", "10000", "5", "2", "3",
	    "read-write", "k6serve", "UTF8", url, NULL };

	return PQconnectdbParams(names, values, 1);
}

/* A k6serve that hangs in a transaction must not hold up the others. To compile
 * a query takes longer than to run it. The points of a series lie together: to
 * read them by their index, in order, is no more work than by the disk's. A
 * commit that is answered is on the disk, whatever the server or the role says;
 * a standby is for them to say. */
static const char settings[] = "SET search_path = k6serve;"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit', true) = 'off';"
    "SET lock_timeout = 5000;"
    "SET idle_in_transaction_session_timeout = 30000;"
    "SET jit = off;"
    "SELECT set_config('random_page_cost', '1.1', false)"
    " WHERE current_setting('random_page_cost', true) = '4';"
    "SET bytea_output = hex";

bool
postgres_is_connected(const struct postgres_session *q)
{
	return q->connection != NULL && !q->is_lost &&
	    PQstatus(q->connection) == CONNECTION_OK;
}

/* The descriptor of the connection changed, or it is about to end. */
static void
note_socket(struct postgres_session *q, PGconn *connection)
{
	int fd = connection != NULL ? PQsocket(connection) : -1;

	(void)pthread_mutex_lock(&q->lock);
	if (q->socket >= 0)
		(void)close(q->socket);
	q->socket = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (q->is_abandoned && q->socket >= 0)
		(void)shutdown(q->socket, SHUT_RDWR);
	(void)pthread_mutex_unlock(&q->lock);
}

static void
finish_connection(struct postgres_session *q)
{
	note_socket(q, NULL);
	PQfinish(q->connection);
	q->connection = NULL;
}

static bool
is_abandoned(struct postgres_session *q)
{
	bool is;

	(void)pthread_mutex_lock(&q->lock);
	is = q->is_abandoned;
	(void)pthread_mutex_unlock(&q->lock);
	return is;
}

void
postgres_abandon(void *session)
{
	struct postgres_session *q = session;

	(void)pthread_mutex_lock(&q->lock);
	q->is_abandoned = true;
	if (q->socket >= 0)
		(void)shutdown(q->socket, SHUT_RDWR);
	(void)pthread_mutex_unlock(&q->lock);
}

static void *
cancel_main(void *ctx)
{
	char text[256];

	(void)PQcancel(ctx, text, sizeof(text));
	PQfreeCancel(ctx);
	return NULL;
}

/* On a thread of its own, which nobody waits for: a server that hangs takes a
 * connection, and then says nothing. */
static void
cancel(struct postgres_session *q)
{
	PGcancel *order = PQgetCancel(q->connection);
	pthread_t thread;

	if (order == NULL)
		return;
	if (pthread_create(&thread, NULL, cancel_main, order) == 0)
		(void)pthread_detach(thread);
	else
		PQfreeCancel(order);
}

/* Does the session look after itself while it waits? */
static bool
is_impatient(const struct postgres_session *q)
{
	return q->is_hurried || q->silence_ms != 0 || q->is_unwanted != NULL;
}

/* Wait for the answer; what nobody wants is cancelled, once. False: it did not
 * come, and the connection is of no use any more. */
static bool
wait_for_answer(struct postgres_session *q)
{
	int64_t most_ms = q->is_hurried ? HURRY_MS : q->silence_ms;
	int64_t since_ns = now_monotonic_ns();
	struct pollfd fd = { .events = POLLIN };
	bool is_cancelled = false, has_come;

	while (PQisBusy(q->connection)) {
		fd.fd = PQsocket(q->connection);
		has_come = poll(&fd, 1, WATCH_MS) > 0;
		if (has_come && !PQconsumeInput(q->connection))
			return false;
		if (has_come && !q->is_hurried && !is_cancelled)
			since_ns = now_monotonic_ns();
		if (most_ms != 0 && now_monotonic_ns() - since_ns >= most_ms *
		    NS_PER_MS) {
			note(q, no_connection, "no answer came in time");
			return false;
		}
		if (!is_cancelled && q->is_unwanted != NULL &&
		    q->is_unwanted(q->watch)) {
			cancel(q);
			is_cancelled = true;
			most_ms = CANCEL_MS;
			since_ns = now_monotonic_ns();
		}
	}
	return true;
}

/* The last result of what was sent; NULL: it did not come. */
static PGresult *
take_answer(struct postgres_session *q)
{
	PGresult *result, *last = NULL;

	while (wait_for_answer(q)) {
		result = PQgetResult(q->connection);
		if (result == NULL)
			return last;
		PQclear(last);
		last = result;
	}
	PQclear(last);
	return NULL;
}

static PGresult *
execute(struct postgres_session *q, const char *sql)
{
	if (!is_impatient(q))
		return PQexec(q->connection, sql);
	return PQsendQuery(q->connection, sql) ? take_answer(q) : NULL;
}

PGresult *
postgres_prepare(struct postgres_session *q, const char *name,
    const char *sql, int n, const Oid *types)
{
	if (!is_impatient(q))
		return PQprepare(q->connection, name, sql, n, types);
	return PQsendPrepare(q->connection, name, sql, n, types) ?
	    take_answer(q) : NULL;
}

/* Have a connection, good or bad, instead of the last one. False: in a hurry,
 * and it is still on its way. */
static bool
renew_connection(struct postgres_session *q)
{
	int64_t wait_ms = q->dial == NULL ? DIAL_MS : 0;
	PGconn *connection = NULL;

	if (!q->is_hurried) {
		finish_connection(q);
		q->connection = postgres_connect_to(q->url);
		note_socket(q, q->connection);
		return true;
	}
	if (q->dial == NULL)
		q->dial = postgres_dial_start(q->url);
	if (!postgres_dial_wait(q->dial, wait_ms, &connection))
		return false;
	postgres_dial_free(q->dial);
	q->dial = NULL;
	finish_connection(q);
	q->connection = connection;
	note_socket(q, connection);
	return true;
}

int
postgres_connect(struct postgres_session *q)
{
	if (postgres_is_connected(q))
		return 0;
	if (q->has_begun) {
		note(q, no_connection, "the connection was lost");
		return -1;
	}
	if (now_monotonic_ns() < q->retry_ns || is_abandoned(q) ||
	    !renew_connection(q)) {
		(void)snprintf(q->state, sizeof(q->state), "%s",
		    no_connection);
		return -1;
	}
	q->generation++;
	q->is_lost = false;
	if (PQstatus(q->connection) == CONNECTION_OK) {
		(void)PQsetNoticeReceiver(q->connection, ignore_notice, NULL);
		if (postgres_execute(q, settings) == 0)
			return 0;
	} else {
		(void)postgres_fail(q, NULL);
	}
	finish_connection(q);
	q->retry_ns = now_monotonic_ns() + RETRY_MS * NS_PER_MS;
	return -1;
}

int
postgres_execute(struct postgres_session *q, const char *sql)
{
	PGresult *result = execute(q, sql);
	ExecStatusType status = PQresultStatus(result);
	int code = 0;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		code = postgres_fail(q, result);
	PQclear(result);
	return code;
}

PGresult *
postgres_run(struct postgres_session *q, const char *name, int n,
    const char *const *values, const int *lengths, const int *formats)
{
	if (!is_impatient(q))
		return PQexecPrepared(q->connection, name, n, values, lengths,
		    formats, 1);
	return PQsendQueryPrepared(q->connection, name, n, values, lengths,
	    formats, 1) ? take_answer(q) : NULL;
}

/* The number that a query finds; 0: no row. */
static int
find_number(struct postgres_session *q, const char *sql)
{
	PGresult *result = execute(q, sql);
	int64_t number = 0;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		number = postgres_fail(q, result);
	else if (PQntuples(result) > 0 && !num_parse_int(PQgetvalue(result, 0,
	    0), 0, INT_MAX, &number))
		number = 0;
	PQclear(result);
	return (int)number;
}

int
postgres_schema_version(struct postgres_session *q)
{
	int version = find_number(q, "SELECT version FROM"
	    " k6serve.schema_version");

	/* no such schema, or no such table in it */
	if (version < 0 && (strcmp(q->state, "42P01") == 0 ||
	    strcmp(q->state, "3F000") == 0))
		return 0;
	return version;
}

/* Run what the schema has behind "-- version N" of the next version on. */
static int
execute_from(struct postgres_session *q, int version, struct span schema)
{
	char *text = xstrndup(schema.p, schema.n), mark[32];
	const char *from;
	int status;

	(void)snprintf(mark, sizeof(mark), "\n-- version %d", version + 1);
	from = strstr(text, mark);
	if (from != NULL) {
		status = postgres_execute(q, from);
	} else {
		note(q, "XX000", "the schema lacks a version");
		status = -1;
	}
	free(text);
	return status;
}

/* To ask for a schema that is there needs the right to make one, too. */
static int
make_schema(struct postgres_session *q)
{
	int n = find_number(q, "SELECT count(*) FROM pg_namespace"
	    " WHERE nspname = 'k6serve'");

	return n != 0 ? (n > 0 ? 0 : -1) : postgres_execute(q,
	    "CREATE SCHEMA k6serve");
}

static int
migrate_from(struct postgres_session *q, int version, struct span schema)
{
	char update[128];

	(void)snprintf(update, sizeof(update), "DELETE FROM schema_version;"
	    "INSERT INTO schema_version VALUES (%d)", POSTGRES_SCHEMA);
	if (postgres_execute(q, "BEGIN") == 0 && make_schema(q) == 0 &&
	    postgres_execute(q, "CREATE TABLE IF NOT EXISTS schema_version"
	    " (version BIGINT NOT NULL)") == 0 &&
	    execute_from(q, version, schema) == 0 &&
	    postgres_execute(q, update) == 0 &&
	    postgres_execute(q, "COMMIT") == 0)
		return 0;
	if (postgres_is_connected(q))
		PQclear(PQexec(q->connection, "ROLLBACK"));
	return -1;
}

/* Bring the tables to this version. Who comes second when several begin at a
 * time fails, and finds them made. */
static int
migrate(struct postgres_session *q, struct span schema)
{
	int version = -1, i;

	for (i = 0; i < TRIES; i++) {
		version = postgres_schema_version(q);
		if (version < 0 || version >= POSTGRES_SCHEMA)
			break;
		if (migrate_from(q, version, schema) < 0 && i == TRIES - 1)
			return -1;
	}
	if (version <= POSTGRES_SCHEMA)
		return version < 0 ? -1 : 0;
	note(q, "XX000", "the tables were made by a newer k6serve");
	return -1;
}

static struct postgres_session *
session_new(const char *url)
{
	struct postgres_session *q = xcalloc(1, sizeof(*q));

	q->url = xstrdup(url);
	q->socket = -1;
	(void)pthread_mutex_init(&q->lock, NULL);
	return q;
}

static void *
fail_to_open(struct postgres_session *q, struct why *why)
{
	(void)why_set(why, "%s", q->failure.text);
	postgres_close(q);
	return NULL;
}

void *
engine_postgres_open(const char *url, struct span schema, struct why *why)
{
	struct postgres_session *q = session_new(url);

	if (postgres_connect(q) < 0 ||
	    (schema.p != NULL && migrate(q, schema) < 0))
		return fail_to_open(q, why);
	return q;
}

void *
postgres_open_again(void *session, struct why *why)
{
	const struct postgres_session *first = session;
	struct postgres_session *q = session_new(first->url);

	return postgres_connect(q) == 0 ? q : fail_to_open(q, why);
}

void
postgres_close(void *session)
{
	struct postgres_session *q = session;

	postgres_dial_free(q->dial);
	finish_connection(q);
	(void)pthread_mutex_destroy(&q->lock);
	explicit_bzero(q->url, strlen(q->url));
	free(q->url);
	free(q);
}

#else

bool
engine_postgres_is_there(void)
{
	return false;
}

#endif
