/* SPDX-License-Identifier: MIT */
/* Makes a connection on a thread of its own, for a session that must not wait:
 * names are looked up, and hosts tried in turn, for seconds each. */
#ifdef K6PIPE_LIBPQ

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6serve/store/engine_postgres_priv.h"

struct postgres_dial {
	char *url;
	pthread_t thread;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t changed;
	PGconn *connection;	/* NULL: not yet, or it was taken */
	bool is_over;
};

static void *
dial_main(void *ctx)
{
	struct postgres_dial *d = ctx;
	PGconn *connection = postgres_connect_to(d->url);

	(void)pthread_mutex_lock(&d->lock);
	d->connection = connection;
	d->is_over = true;
	(void)pthread_cond_signal(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
	return NULL;
}

struct postgres_dial *
postgres_dial_start(const char *url)
{
	struct postgres_dial *d = xcalloc(1, sizeof(*d));

	d->url = xstrdup(url);
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->changed, NULL);
	if (pthread_create(&d->thread, NULL, dial_main, d) == 0)
		return d;
	d->is_over = true;	/* the thread is this one */
	d->thread = pthread_self();
	return d;
}

bool
postgres_dial_wait(struct postgres_dial *d, int64_t ms, PGconn **connection)
{
	int64_t until_ns = now_monotonic_ns() + ms * NS_PER_MS;
	bool is_over;

	(void)pthread_mutex_lock(&d->lock);
	while (!d->is_over &&
	    thread_wait_until(&d->changed, &d->lock, until_ns))
		;
	is_over = d->is_over;
	if (is_over) {
		*connection = d->connection;
		d->connection = NULL;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return is_over;
}

void
postgres_dial_free(struct postgres_dial *d)
{
	if (d == NULL)
		return;
	if (!pthread_equal(d->thread, pthread_self()))
		(void)pthread_join(d->thread, NULL);
	PQfinish(d->connection);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
	explicit_bzero(d->url, strlen(d->url));
	free(d->url);
	free(d);
}

#else

/* A file of C must not be empty. */
extern const int engine_postgres_dial_is_left_out;

#endif
