/* SPDX-License-Identifier: MIT */
/* engine_postgres_priv: what the engine's .c files share. */
#ifndef K6PIPE_K6SERVE_STORE_ENGINE_POSTGRES_PRIV_H
#define K6PIPE_K6SERVE_STORE_ENGINE_POSTGRES_PRIV_H

#include <libpq-fe.h>
#include <pthread.h>

#include "base/buf.h"
#include "k6serve/store/engine_postgres.h"

enum { POSTGRES_SCHEMA = 9 };	/* the version that is known here */

/* The columns of a COPY that are narrower than what is bound: 4 bytes. */
struct postgres_narrow {
	const char *into;	/* as load_begin has it; NULL: not known */
	uint64_t columns;	/* a bit for each */
};

enum { POSTGRES_TABLES = 16 };	/* more than are loaded */

struct postgres_session {
	char *url;		/* constant */

	/* Of the thread that has the session. */
	PGconn *connection;	/* NULL: there is none */
	uint64_t generation;	/* of the connection: 1, 2, ... */
	int64_t retry_ns;	/* monotonic: not to connect before */
	bool is_lost;		/* it is of no use any more */
	bool is_hurried;	/* rather fails than waits */
	int64_t silence_ms;	/* or if nothing came for so long; 0: waits */
	struct postgres_dial *dial;	/* under way; NULL: none */
	bool has_begun;		/* a transaction, which has not ended */
	bool was_locked_out;	/* others held a lock for too long */
	struct postgres_narrow narrow[POSTGRES_TABLES];	/* the first are
							   known */
	int64_t changes;	/* of the last statement */
	char state[6];		/* SQLSTATE of the last failure */
	struct why failure;	/* its text */
	bool (*is_unwanted)(void *ctx);	/* of watch; NULL: none */
	void *watch;			/* its ctx */

	/* Of any thread that holds the lock: postgres_abandon is called while
	 * the session works. */
	pthread_mutex_t lock;
	int socket;		/* another descriptor of the connection's, to
				   cut it off; -1: none */
	bool is_abandoned;	/* it is cut off, and no other is made */
};

extern const char *const postgres_texts[ENGINE_TEXTS];

/* Is there a connection that is of use, as far as is known? A write to a dead
 * one fails before libpq calls it bad. */
bool postgres_is_connected(const struct postgres_session *q);

/* Be connected. 0, or -1: the failure is noted. A lost connection is not made
 * anew within a transaction, as what was done in it is lost, too. */
int postgres_connect(struct postgres_session *q);

/* Connect by a URL. Never NULL unless out of memory. */
PGconn *postgres_connect_to(const char *url);

/* The same on a thread of its own: begin; wait so long at most, true: it is
 * over, and the connection, NULL if there is none, the caller's; free, after
 * its end, which is waited for. NULL is allowed. */
struct postgres_dial *postgres_dial_start(const char *url);
bool postgres_dial_wait(struct postgres_dial *d, int64_t ms,
    PGconn **connection);
void postgres_dial_free(struct postgres_dial *d);

/* Note the failure of a result, which may be NULL, or of the connection.
 * Returns -1. */
int postgres_fail(struct postgres_session *q, const PGresult *result);

/* Run SQL without parameters. 0, or -1: the failure is noted. */
int postgres_execute(struct postgres_session *q, const char *sql);

/* Prepare a statement; run it, and wait as long as it is wanted. The result is
 * the caller's; NULL: out of memory, or nothing came. */
PGresult *postgres_prepare(struct postgres_session *q, const char *name,
    const char *sql, int n, const Oid *types);
PGresult *postgres_run(struct postgres_session *q, const char *name, int n,
    const char *const *values, const int *lengths, const int *formats);

/* The version of the schema; 0: there is none; -1: the failure is noted. */
int postgres_schema_version(struct postgres_session *q);

/* Append a value as COPY and arrays have it: its length and its bytes; an
 * integer that fits in 4, if it is to be narrow. */
void postgres_put_value(struct buf *b, const struct engine_value *v,
    bool is_narrow);

/* Make an array of n values of one type, each so many further on, at least one.
 * Returns its type. */
Oid postgres_put_array(struct buf *b, const struct engine_value *first,
    size_t stride, size_t n);

/* The engine's load_begin, load_row and load_end. */
struct engine_load *postgres_load_begin(void *session, const char *into,
    int columns, struct why *why);
int postgres_load_row(struct engine_load *l, const struct engine_value *row,
    struct why *why);
int postgres_load_end(struct engine_load *l, struct why *why);

/* End the sessions of k6serve whose COPY began more than half a minute ago and
 * waits for its client: that k6serve is paused, and its locks stay. Outside of
 * a transaction; a failure is passed over. */
void postgres_end_paused(struct postgres_session *q);

/* The engine's abandon. */
void postgres_abandon(void *session);

void *postgres_open_again(void *session, struct why *why);
void postgres_close(void *session);

#endif
