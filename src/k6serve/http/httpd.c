/* SPDX-License-Identifier: MIT */
/* Begins and ends a server of libmicrohttpd. */
#include "k6serve/http/httpd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6serve/http/httpd_priv.h"

enum {
	CONNECTIONS_MAX = 4096,
	SPARE_FILES = 64,	/* descriptors that are not connections */
	HEAD_BYTES = 64 * 1024,
	LAST_REPLIES_S = 2,	/* at the end: for what is answered */
};

/* Suites with SHA-1 are those with CBC, too. */
#define TLS_VERSIONS "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-SHA1"

unsigned
httpd_connections_max(const struct httpd *h)
{
	return h->connections_max;
}

unsigned
httpd_connections(struct httpd *h)
{
	unsigned n;

	(void)pthread_mutex_lock(&h->lock);
	n = h->n_peers;
	(void)pthread_mutex_unlock(&h->lock);
	return n;
}

unsigned
httpd_streams(const struct httpd *h)
{
	return h->n_streams;
}

/* As many as there are descriptors for; what the system allows is used. */
static unsigned
most_connections(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return CONNECTIONS_MAX / 8;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    files.rlim_cur >= CONNECTIONS_MAX + SPARE_FILES)
		return CONNECTIONS_MAX;
	return files.rlim_cur > 2 * SPARE_FILES
	    ? (unsigned)files.rlim_cur - SPARE_FILES
	    : (unsigned)files.rlim_cur / 2;
}

static struct MHD_Daemon *
start_daemon(struct httpd *h)
{
	const struct httpd_config *c = &h->config;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
	    MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0,
		    (void *)(uintptr_t)c->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)c->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t)TLS_VERSIONS },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (c->certificate == NULL)
		tls[0].option = MHD_OPTION_END;
	else
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, peers_welcome, h, request_go_on, h,
	    MHD_OPTION_ARRAY, tls,
	    MHD_OPTION_LISTEN_SOCKET, c->fd,
	    MHD_OPTION_CONNECTION_LIMIT, h->connections_max,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTPD_IDLE_S,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_UNESCAPE_CALLBACK, query_unescape, NULL,
	    MHD_OPTION_URI_LOG_CALLBACK, request_on_uri, NULL,
	    MHD_OPTION_NOTIFY_CONNECTION, peers_notify, h,
	    MHD_OPTION_NOTIFY_COMPLETED, request_end, h,
	    MHD_OPTION_END);
}

struct httpd *
httpd_start(const struct httpd_config *config, struct why *why)
{
	struct httpd *h = xcalloc(1, sizeof(*h));

	h->config = *config;
	h->connections_max = most_connections();
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->answered, NULL);
	errno = 0;
	h->daemon = start_daemon(h);
	if (h->daemon != NULL)
		return h;
	(void)why_set(why, "cannot start the HTTP server%s: %s",
	    config->certificate != NULL ? " with that certificate and key"
	    : "", errno != 0 ? strerror(errno) : "libmicrohttpd refused");
	(void)pthread_cond_destroy(&h->answered);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}

void
httpd_tick(struct httpd *h)
{
	(void)pthread_mutex_lock(&h->lock);
	streams_wake(h);
	(void)pthread_mutex_unlock(&h->lock);
	peers_expire(h);
}

void
httpd_stop(struct httpd *h)
{
	int64_t until;

	if (h == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	while (h->n_deferred != 0)
		(void)pthread_cond_wait(&h->answered, &h->lock);
	streams_wake(h);
	until = now_monotonic_ns() + LAST_REPLIES_S * NS_PER_S;
	while (h->n_unsent != 0 && thread_wait_until(&h->answered, &h->lock,
	    until))
		;
	(void)pthread_mutex_unlock(&h->lock);
	MHD_stop_daemon(h->daemon);
	(void)pthread_cond_destroy(&h->answered);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
