/* SPDX-License-Identifier: MIT */
/* upload_fixture: an uploader whose network is the test: it keeps each request,
 * and answers by hand. */
#ifndef K6PIPE_TESTS_UPLOAD_FIXTURE_H
#define K6PIPE_TESTS_UPLOAD_FIXTURE_H

#include "io/fetch.h"
#include "k6push/send/packer.h"
#include "k6push/send/receiver.h"
#include "k6push/send/upload_priv.h"
#include "k6push/wire/wire.h"

#include "tap.h"

static struct sent {
	void *ctx;
	char key[64], count[64], url[64];
	char body[512];
	size_t n;
	bool is_gzip, is_retry;
} sent[128];
static int n_sent;
static fetch_done *done;

int
fetch_start(struct fetcher *f, const struct fetch_request *request,
    fetch_done *d, void *ctx, struct why *why)
{
	struct sent *s = &sent[n_sent++];
	const char *const *h;

	(void)f;
	(void)why;
	done = d;
	*s = (struct sent){ .ctx = ctx, .n = request->body.n,
	    .is_retry = request->is_retry };
	memcpy(s->body, request->body.p, s->n);
	(void)snprintf(s->url, sizeof(s->url), "%s", request->url);
	for (h = request->headers; *h != NULL; h++) {
		if (strncmp(*h, "K6-Idempotency-Key: ", 20) == 0)
			(void)snprintf(s->key, sizeof(s->key), "%s", *h + 20);
		if (strncmp(*h, "X-Payload-Sample-Count: ", 24) == 0)
			(void)snprintf(s->count, sizeof(s->count), "%s",
			    *h + 24);
		s->is_gzip |= strcmp(*h, "Content-Encoding: gzip") == 0;
	}
	return 0;
}

const char *
fetch_header(const struct fetch_reply *reply, const char *name)
{
	(void)reply;
	(void)name;
	return NULL;
}

static inline void
answer(int i, int status, const char *body)
{
	struct fetch_reply reply = { .status = status, .reason = "R",
	    .body = span_of(body), .retry_after_ns = -1 };

	done(sent[i].ctx, &reply);
}

static struct settings settings;
static struct packer *packer;
static struct numbers numbers;
static struct uploader *u;

static inline void
end(void)
{
	uploader_free(u);
	packer_free(packer);
	settings_release(&settings);
}

static inline void
begin(void)
{
	struct packer_config k = { .wake = -1 };
	struct uploader_config c = { .settings = &settings,
	    .numbers = &numbers };
	struct upload_target to = { .receiver = &receiver_cloud,
	    .host = "http://x", .run = "7", .run_id = "7" };

	end();
	settings_init(&settings);
	(void)settings_set(&settings, SET_NO_COMPRESS, "true", FROM_FLAG,
	    NULL);
	packer = c.packer = packer_new(&k);
	numbers = (struct numbers){ 0 };
	u = uploader_new(&c);
	uploader_open(u, &to);
	u->cannot_withdraw = true;
	n_sent = 0;
}

/* A batch of n samples waits, packed; each sample is one request. */
static inline struct batch *
add(int n)
{
	struct batch *p = batch_new(numbers_take(&numbers, 1));
	int i;

	p->id.format = wire_v1.format;
	p->id.samples = p->id.points = p->id.requests = (uint64_t)n;
	for (i = 0; i < n; i++)
		buf_printf(&p->body, "%c{\"type\":\"Point\",\"metric\":"
		    "\"http_reqs\",\"data\":{\"time\":\"%d\",\"type\":"
		    "\"counter\",\"tags\":{},\"value\":1}}", i == 0 ? '['
		    : ',', 100 * (int)p->id.number + i);
	buf_char(&p->body, ']');
	p->id.plain_bytes = p->body.n;
	p->is_plain = p->is_loose = true;
	packer_pack(packer, p);
	batches_add(&u->waiting, p);
	return p;
}

/* Answer the one that was sent last, and send the next. */
static inline void
step(int status)
{
	answer(n_sent - 1, status, "");
	u->retry_at_ns = 0;
	uploader_start(u);
}

/* Run the test functions, without the warnings of what is tested. */
static inline int
upload_tests(void (*tests)(void))
{
	if (freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	tests();
	end();
	return tap_end();
}

#endif
