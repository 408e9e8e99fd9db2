/* SPDX-License-Identifier: MIT */
#include "k6push/upload.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/units.h"
#include "io/gz.h"
#include "k6push/outcome.h"
#include "k6push/retry.h"

enum {
	PACKAGE_BYTES = 8 << 20,	/* of JSON; more is cut earlier */
	QUEUE_BYTES = 256 << 20,	/* then reading pauses */
	GZIP_LEVEL = 1,
};

struct package {
	struct uploader *owner;
	struct package *next;
	char key[KEY_TEXT];
	struct buf body;	/* JSON, then what is sent */
	size_t json_bytes, queued_bytes;
	bool is_gzip;
	bool is_in_flight;
	int tries;
	uint64_t samples;
	struct amount amount;
};

static void
package_free(struct package *p)
{
	buf_release(&p->body);
	free(p);
}

static void
free_list(struct package *p)
{
	struct package *next;

	for (; p != NULL; p = next) {
		next = p->next;
		package_free(p);
	}
}

void
uploader_release(struct uploader *u)
{
	if (u->filling != NULL)
		package_free(u->filling);
	free_list(u->first);
	free_list(u->refused);
	*u = (struct uploader){ 0 };
}

void
uploader_add(struct uploader *u, const struct sample *s)
{
	struct package *p = u->filling;

	if (u->is_stopped) {
		u->dropped.points += sample_points(s);
		u->dropped.requests += sample_requests(s);
		return;
	}
	if (p == NULL) {
		p = u->filling = xcalloc(1, sizeof(*p));
		p->owner = u;
		retry_key(p->key);
	}
	buf_char(&p->body, p->samples == 0 ? '[' : ',');
	sample_print(s, settings_bool(u->settings, SET_SEND_HISTOGRAMS),
	    &p->body);
	p->samples++;
	p->amount.points += sample_points(s);
	p->amount.requests += sample_requests(s);
	if ((int64_t)p->samples >= settings_int(u->settings,
	    SET_MAX_SAMPLES) || p->body.n >= PACKAGE_BYTES)
		uploader_cut(u);
}

/* Make the body what is sent. */
static void
pack(const struct uploader *u, struct package *p)
{
	struct buf small = { 0 };
	struct why why;

	if (settings_bool(u->settings, SET_NO_COMPRESS))
		return;

	if (gz_deflate(buf_whole(&p->body), GZIP_LEVEL,
	    &small, &why) < 0)
		dief(EXIT_FAILED, "gzip: %s", why.text);
	buf_release(&p->body);
	p->body = small;
	p->is_gzip = true;
}

void
uploader_cut(struct uploader *u)
{
	struct package *p = u->filling;

	if (p == NULL)
		return;
	u->filling = NULL;
	buf_char(&p->body, ']');
	p->json_bytes = p->body.n;
	p->amount.packages = 1;
	if (u->url != NULL)	/* else it never leaves */
		pack(u, p);
	p->queued_bytes = p->body.n;
	u->queued_bytes += p->queued_bytes;
	if (u->first == NULL)
		u->first = p;
	else
		u->last->next = p;
	u->last = p;
}

static void
unlink_package(struct uploader *u, struct package *p)
{
	struct package **at = &u->first, *before = NULL;

	while (*at != p) {
		before = *at;
		at = &(*at)->next;
	}
	*at = p->next;
	if (u->last == p)
		u->last = before;
	u->queued_bytes -= p->queued_bytes;
	p->next = NULL;
}

static void
acknowledge(struct uploader *u, struct package *p)
{
	u->acked.points += p->amount.points;
	u->acked.requests += p->amount.requests;
	u->acked.packages++;
	u->failures = 0;
	u->retry_at_ns = 0;
	if (u->told != NULL)
		warnf("the server takes samples again");
	u->told = NULL;
	unlink_package(u, p);
	package_free(p);
}

/* Tell of trouble once per kind, until something went well. */
static void
tell(struct uploader *u, const char *kind, const struct fetch_reply *reply)
{
	struct buf text = { 0 };

	if (u->told == kind)
		return;
	u->told = kind;
	outcome_describe(reply, u->url, &text);
	warnf("%s: %s", kind, text.p);
	buf_release(&text);
}

static void
refuse(struct uploader *u, struct package *p, const struct fetch_reply *reply)
{
	struct buf text = { 0 };

	outcome_describe(reply, u->url, &text);
	warnf("%llu samples refused for good: %s",
	    (unsigned long long)p->samples, text.p);
	buf_release(&text);
	unlink_package(u, p);
	p->next = u->refused;
	u->refused = p;
}

static void
on_reply(void *ctx, const struct fetch_reply *reply)
{
	struct package *p = ctx;
	struct uploader *u = p->owner;

	p->is_in_flight = false;
	u->in_flight--;
	switch (outcome_of(reply)) {
	case OUTCOME_ACKED:
		acknowledge(u, p);
		return;
	case OUTCOME_REFUSED:
		refuse(u, p, reply);
		return;
	case OUTCOME_STOP:
		if (!u->is_stopped)
			tell(u, "stopped sending samples", reply);
		u->is_stopped = true;
		return;
	case OUTCOME_RETRY:
		tell(u, "cannot send samples, trying on", reply);
		break;
	case OUTCOME_HOLD:
		tell(u, "samples are held, trying on", reply);
		u->failures += 4;	/* nothing changes in half a second */
		break;
	}
	u->failures++;
	u->retry_at_ns = now_monotonic_ns() + retry_pause_ns(u->failures,
	    reply->retry_after_ns);
}

static void
send_package(struct uploader *u, struct package *p)
{
	char samples[48], bytes[48], key[48];
	const char *headers[6] = { "Content-Type: application/json" };
	struct fetch_request request = { .url = u->url, .headers = headers,
	    .token = u->token, .is_post = true,
	    .body = buf_whole(&p->body) };
	struct why why;
	int n = 1;

	(void)snprintf(key, sizeof(key), "K6-Idempotency-Key: %s", p->key);
	(void)snprintf(samples, sizeof(samples), "X-Payload-Sample-Count: "
	    "%llu", (unsigned long long)p->samples);
	(void)snprintf(bytes, sizeof(bytes), "X-Payload-Byte-Count: %zu",
	    p->json_bytes);
	headers[n++] = key;
	headers[n++] = samples;
	if (p->is_gzip) {
		headers[n++] = "Content-Encoding: gzip";
		headers[n++] = bytes;
	}
	if (fetch_start(u->fetcher, &request, on_reply, p, &why) < 0)
		dief(EXIT_FAILED, "%s", why.text);
	p->is_in_flight = true;
	u->in_flight++;
	u->resent += p->tries++ > 0;
}

void
uploader_start(struct uploader *u)
{
	int64_t most = settings_int(u->settings, SET_PUSH_CONCURRENCY);
	struct package *p;

	if (u->url == NULL || u->is_stopped ||
	    now_monotonic_ns() < u->retry_at_ns)
		return;
	/* After a failure one try is enough to see if the server is back. */
	if (u->failures > 0)
		most = 1;
	for (p = u->first; p != NULL && u->in_flight < most; p = p->next)
		if (!p->is_in_flight)
			send_package(u, p);
}

int64_t
uploader_next_ns(const struct uploader *u)
{
	return u->first != NULL && u->in_flight == 0 && u->url != NULL &&
	    !u->is_stopped ? u->retry_at_ns : INT64_MAX;
}

bool
uploader_is_idle(const struct uploader *u)
{
	return u->in_flight == 0 && (u->is_stopped ||
	    (u->first == NULL && u->filling == NULL));
}

bool
uploader_is_full(const struct uploader *u)
{
	return u->queued_bytes > QUEUE_BYTES && !u->is_stopped;
}

static void
add_amounts(const struct package *p, struct amount *sum)
{
	for (; p != NULL; p = p->next) {
		sum->points += p->amount.points;
		sum->requests += p->amount.requests;
		sum->packages++;
	}
}

struct amount
uploader_left(const struct uploader *u)
{
	struct amount left = u->dropped;

	add_amounts(u->first, &left);
	add_amounts(u->refused, &left);
	add_amounts(u->filling, &left);
	return left;
}
