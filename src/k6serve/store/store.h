/* SPDX-License-Identifier: MIT */
/*
 * store: runs and their data in a database, which an engine hides. Each
 * noun has a header of its own: store_run, store_batch, store_query and so on.
 *
 * A function that changes something returns after its transaction is on disk,
 * unless it is part of a group. A store is for one thread at a time; several
 * processes may share the file.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_H
#define K6PIPE_K6SERVE_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/why.h"

#define STORE_DIGEST 32		/* bytes of a token's or a body's hash */

/* What a client sends is kept up to these sizes; so all of a run has one. What
 * passes STORE_TAGSET or STORE_TAGSETS goes to STORE_OVERFLOW, as with too many
 * series; anything else is STORE_TOO_MUCH. */
enum {
	STORE_OBJECT = 128 * 1024,	/* bytes of thresholds, or results */
	STORE_KEY = 512,		/* of an idempotency key */
	STORE_METRICS = 10000,		/* of a run */
	STORE_TAGSET = 64 * 1024,	/* bytes of one */
	STORE_TAGSETS = 64 * 1024 * 1024,	/* of all of a run */
};

/* Whose runs a caller sees. Each function that reads or changes runs takes an
 * owner: the name of one, who sees their own runs and those of nobody; NULL:
 * only those of nobody; or this, by its address: all. A run that the owner
 * does not see is for that function not there. */
extern const char store_everybody[];

struct store;

/* When samples were, 0: there is none. A bucket of samples does not tell: none
 * was before first_ns or after last_ns; the first was at inner_first_ns or
 * before, the last at inner_last_ns or after. */
struct store_extent {
	int64_t first_ns, last_ns, inner_first_ns, inner_last_ns;
};

/* Make it hold other's samples, too. */
void store_extent_add(struct store_extent *e,
    const struct store_extent *other);

enum store_result {
	STORE_DONE,
	STORE_DUPLICATE,	/* was done before; nothing changed */
	STORE_CONFLICT,		/* same key, other content */
	STORE_WITHDRAWN,	/* nothing is taken under that key any more */
	STORE_NO_RUN,
	STORE_ENDED,		/* the run takes no more */
	STORE_TOO_MUCH,		/* what no client may send; nothing changed */
	STORE_FULL,		/* no room on disk, or it cannot be written, or
				   the file is no longer in its place */
	STORE_BUSY,		/* another process holds the database, or it
				   cannot be reached: the same works later */
	STORE_FAILED,
};

/* Open the file, made with mode 0600 if it is not there, with the tables of
 * schema. A file that is no database of ours, or of a newer version, is left
 * as it is. NULL: why. */
struct store *store_open(const char *path, struct span schema,
    struct why *why);
void store_close(struct store *s);

/* Does the text name a database of a PostgreSQL server; can this program, as it
 * was built, use one? Open it, with its tables in a schema named k6serve, which
 * are made. NULL: why. */
bool store_is_postgres(const char *url);
bool store_has_postgres(void);
struct store *store_open_postgres(const char *url, struct span schema,
    struct why *why);

/* Open a database of either kind that is there, with its tables as they are,
 * which must be those of this version; nothing is made or migrated. NULL:
 * why. */
struct store *store_open_as_is(const char *name, struct why *why);

/* The database's random id, for as long as there is the file or a copy of it:
 * hexadecimal digits. Good until store_close(). */
const char *store_id(const struct store *s);

/* Is the database still the file at its path, and its log? What is written to
 * a file that was removed or replaced is lost with the process, so that a
 * transaction checks it as it begins and before it ends. -1: why. */
int store_check_place(struct store *s, struct why *why);

/* Can the database be read and written by this k6serve: is it in its place, and
 * is its schema the one that is known here? 0, or -1: why. */
int store_check_ready(struct store *s, struct why *why);

#define STORE_MISPLACED_WHY "the database file was removed or replaced: " \
	"put it back, or start k6serve again"

/* The kind of the last failure: STORE_BUSY, STORE_FULL or STORE_FAILED. */
enum store_result store_last_failure(const struct store *s);

/* What the last check found, of a transaction or by store_check_place. */
bool store_is_misplaced(const struct store *s);

/* Another one on the same file, for another thread. A process must open a file
 * only once with store_open: closing the descriptor that looks at it first
 * would give up the locks of the other store (fcntl(2)). */
struct store *store_open_again(const struct store *s, struct why *why);

/* Let each function of this store fail as soon as is_unwanted(ctx) is true,
 * which is asked about every millisecond that it works. NULL: no longer. */
void store_watch(struct store *s, bool (*is_unwanted)(void *ctx), void *ctx);

/* What is read from begin to end is of one moment, whatever others write
 * meanwhile. If it cannot begin (why), each function reads for itself. */
int store_read_begin(struct store *s, struct why *why);
void store_read_end(struct store *s);

/* Let each function of this store fail rather than wait longer than a second
 * for a server that is away. */
void store_hurry(struct store *s);

/* Let each of its functions fail when a server has sent nothing for so many ms;
 * 0: they wait. */
void store_limit(struct store *s, int64_t silence_ms);

/* From any thread: let its functions, also the one that is at work, fail rather
 * than wait for a server at all. A database file is not given up. */
void store_abandon(struct store *s);

/* What is changed from begin to end goes to disk at the end, or not at all:
 * a function that fails in between, not for what it was asked but for the
 * database, makes the end fail too. -1: why, nothing was changed. */
int store_group_begin(struct store *s, struct why *why);
int store_group_end(struct store *s, struct why *why);

#endif
