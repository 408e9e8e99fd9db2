/* SPDX-License-Identifier: MIT */
/* What all engines have in common: a user's answer, and the reply made from
 * it. */
#include "k6gen/http/engine.h"

#include "base/units.h"

bool
user_add_body(struct user *u, const char *bytes, size_t n)
{
	const struct http_options *o = u->engine->options;
	size_t room = o->keep_body - u->body.n;

	u->body_bytes += (int64_t)n;
	if (o->max_body > 0 && u->body_bytes > o->max_body)
		return false;
	if (room > 0)
		buf_add(&u->body, bytes, n < room ? n : room);
	return true;
}

static int64_t
between(int64_t from, int64_t to)
{
	return from > 0 && to > from ? to - from : 0;
}

/* PROTOCOL 2.1. k6 tells nothing of a request that the end of the run cuts; one
 * without a connection was blocked until then. */
static void
fill_timings(const struct user *u, int64_t done_ns, bool is_cut,
    int64_t ns[TIMINGS])
{
	int64_t ready_ns = u->ready_ns == 0 && is_cut ? done_ns : u->ready_ns;

	ns[TIMING_CONNECTING] = u->connecting_ns;
	ns[TIMING_TLS_HANDSHAKING] = u->handshaking_ns;
	ns[TIMING_BLOCKED] = between(u->start_ns, ready_ns);
	ns[TIMING_SENDING] = between(u->ready_ns, u->sent_ns);
	ns[TIMING_WAITING] = between(u->sent_ns,
	    u->first_ns != 0 ? u->first_ns : done_ns);
	ns[TIMING_RECEIVING] = between(u->first_ns, done_ns);
	ns[TIMING_DURATION] = ns[TIMING_SENDING] + ns[TIMING_WAITING] +
	    ns[TIMING_RECEIVING];
}

static void
fill_location(struct user *u, struct http_reply *r)
{
	struct span location;
	size_t at = 0;

	if (r->status / 100 != 3 || !http_find_header(r->headers, "Location",
	    &at, &location) || location.n == 0 ||
	    (unsigned char)location.p[0] <= ' ')
		return;
	buf_reset(&u->location);
	buf_span(&u->location, location);
	r->location = u->location.p;
}

void
user_fill_reply(struct user *u, enum http_failure failure,
    struct http_reply *r)
{
	int64_t now_ns, wall_ns, done_ns;

	if (failure == FAILURE_NONE && u->read_ns != 0) {
		now_ns = u->read_ns;
		wall_ns = now_ns + u->offset_ns;
	} else {
		now_both_ns(&now_ns, &wall_ns);
	}
	done_ns = failure == FAILURE_NONE && u->last_ns != 0 ? u->last_ns :
	    now_ns;
	r->user = u->number;
	r->late_ns = now_ns > done_ns ? now_ns - done_ns : 0;
	r->offset_ns = wall_ns - now_ns;
	r->time_ns = wall_ns - (now_ns - done_ns);
	r->body_bytes = u->body_bytes;
	fill_timings(u, done_ns, failure == FAILURE_UNANSWERED, r->ns);
	if (failure != FAILURE_NONE) {
		/* The limit of making a connection is shorter. */
		if (failure == FAILURE_TIMEOUT && u->ready_ns == 0 &&
		    done_ns - u->start_ns < u->timeout_ns)
			failure = FAILURE_DIAL_TIMEOUT;
		r->os_error = u->os_error;
		failure_explain(failure, u->explained, r);
		return;
	}
	r->body = buf_whole(&u->body);
	r->headers = buf_whole(&u->headers);
	fill_location(u, r);
	if (r->status >= 400)
		r->error_code = 1000 + r->status;
}

void
user_take_cookies(struct user *u, const char *authority, const char *path)
{
	struct span value;
	size_t at = 0;

	/* Most answers set none; to look at the clock costs more. */
	if (!http_find_header(buf_whole(&u->headers), "Set-Cookie", &at,
	    &value))
		return;
	jar_take(&u->jar, buf_whole(&u->headers), authority, path,
	    now_unix_ns() / NS_PER_S);
}

void
user_write_cookies(const struct user *u, const char *authority,
    const char *path, bool has_tls, struct buf *out)
{
	size_t n = out->n;

	if (u->jar.n == 0)
		return;
	if (n > 0)
		buf_add(out, "; ", 2);
	jar_write(&u->jar, authority, path, has_tls, now_unix_ns() /
	    NS_PER_S, out);
	/* None is for there. */
	if (n > 0 && out->n == n + 2)
		out->p[out->n = n] = '\0';
}
