/* SPDX-License-Identifier: MIT */
/* links: k6push/outcome k6push/retry data/sample data/aggregate data/trail base/varint data/hist data/tags */
/* links: data/metric data/json data/settings io/gz base/opt base/map */
/* links: base/random */
/* links: base/buf base/mem base/die base/num base/units base/why */
/* libs: zlib */
#include "k6push/upload.c"

#include "tap.h"

/* The test is the network: it keeps each request, and answers by hand. */
static struct sent {
	void *ctx;
	char key[64], count[64];
	char body[512];
	size_t n;
	bool is_gzip;
} sent[16];
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
	*s = (struct sent){ .ctx = ctx, .n = request->body.n };
	memcpy(s->body, request->body.p, s->n);
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

static void
answer(int i, int status, const char *body)
{
	struct fetch_reply reply = { .status = status, .reason = "R",
	    .body = span_of(body), .retry_after_ns = -1 };

	done(sent[i].ctx, &reply);
}

static struct settings settings;
static struct uploader u;

static void
begin(void)
{
	uploader_release(&u);
	settings_release(&settings);
	settings_init(&settings);
	(void)settings_set(&settings, SET_NO_COMPRESS, "true", FROM_FLAG,
	    NULL);
	(void)settings_set(&settings, SET_MAX_SAMPLES, "2", FROM_FLAG, NULL);
	u = (struct uploader){ .settings = &settings, .url = "http://x/" };
	n_sent = 0;
}

static void
add(int n)
{
	static const struct tagset none = { SPAN("{}"), NULL, 0, 0 };
	struct sample s = { .kind = SAMPLE_POINT, .metric =
	    SPAN("http_reqs"), .type = METRIC_COUNTER, .tags = &none,
	    .value = 1 };

	for (; n > 0; n--)
		uploader_add(&u, &s);
}

static void
packages(void)
{
	begin();
	add(5);
	uploader_start(&u);
	CHECK(n_sent == 1 && u.in_flight == 1);	/* one at a time */
	CHECK_TEXT(sent[0].count, "2");
	CHECK(sent[0].body[0] == '[' && sent[0].body[sent[0].n - 1] == ']');
	answer(0, 200, "");
	uploader_start(&u);
	answer(1, 202, "{}");
	uploader_start(&u);
	CHECK(n_sent == 2 && !uploader_is_idle(&u));
	uploader_cut(&u);
	uploader_cut(&u);		/* nothing is filling: nothing */
	uploader_start(&u);
	CHECK_TEXT(sent[2].count, "1");
	answer(2, 200, "");
	CHECK(uploader_is_idle(&u) && u.acked.points == 5);
	CHECK(u.acked.requests == 5 && u.acked.packages == 3);
	CHECK(uploader_left(&u).points == 0 && u.resent == 0);
	CHECK(u.queued_bytes == 0);
	CHECK(strcmp(sent[0].key, sent[1].key) != 0);
	CHECK(strlen(sent[0].key) == 16 && strspn(sent[0].key,
	    "0123456789abcdef") == 16);
}

static void
retries(void)
{
	begin();
	add(4);
	uploader_start(&u);
	answer(0, 503, "");
	CHECK(u.failures == 1 && uploader_next_ns(&u) > 0);
	uploader_start(&u);
	CHECK(n_sent == 1);		/* it is not yet time */
	u.retry_at_ns = 0;
	uploader_start(&u);
	CHECK(n_sent == 2 && u.resent == 1);
	CHECK_TEXT(sent[1].key, sent[0].key);
	CHECK(sent[1].n == sent[0].n &&
	    memcmp(sent[1].body, sent[0].body, sent[0].n) == 0);
	CHECK(uploader_left(&u).points == 4);
	answer(1, 200, "");
	CHECK(u.failures == 0 && u.acked.points == 2);
	answer((uploader_start(&u), 2), 200, "");
	CHECK(uploader_is_idle(&u) && uploader_left(&u).points == 0);
}

static void
refusal(void)
{
	begin();
	add(4);
	uploader_start(&u);
	answer(0, 400, "{\"error\":{\"message\":\"no\"}}");
	uploader_start(&u);
	answer(1, 200, "");
	CHECK(uploader_is_idle(&u));
	CHECK(u.acked.points == 2 && uploader_left(&u).points == 2);
	CHECK(uploader_left(&u).packages == 1);
}

static void
stop(void)
{
	begin();
	add(4);
	uploader_start(&u);
	answer(0, 403, "{\"error\":{\"code\":4,\"message\":\"full\"}}");
	CHECK(u.is_stopped && uploader_is_idle(&u));
	uploader_start(&u);
	CHECK(n_sent == 1 && uploader_next_ns(&u) == INT64_MAX);
	add(3);
	CHECK(u.dropped.points == 3 && uploader_left(&u).points == 7);
	CHECK(u.acked.points == 0);
}

static void
compressed(void)
{
	struct buf out = { 0 };
	struct why why;

	begin();
	settings_release(&settings);
	settings_init(&settings);
	add(2);
	uploader_cut(&u);
	uploader_start(&u);
	CHECK(sent[0].is_gzip);
	CHECK(gz_inflate((struct span){ sent[0].body, sent[0].n }, 4096,
	    &out, &why) == 0);
	CHECK(out.n > 2 && out.p[0] == '[' && out.p[out.n - 1] == ']');
	answer(0, 200, "");
	buf_release(&out);
}

static void
several(void)
{
	begin();
	(void)settings_set(&settings, SET_PUSH_CONCURRENCY, "3", FROM_FLAG,
	    NULL);
	add(10);
	uploader_start(&u);
	CHECK(n_sent == 3 && u.in_flight == 3);
	answer(1, 200, "");
	answer(0, 500, "");
	u.retry_at_ns = 0;
	uploader_start(&u);		/* 2 is under way: that is enough */
	CHECK(n_sent == 3);
	answer(2, 200, "");
	uploader_start(&u);
	CHECK(n_sent > 3);
	CHECK_TEXT(sent[3].key, sent[0].key);
}

int
main(void)
{
	if (freopen("/dev/null", "w", stderr) == NULL)	/* its warnings */
		return 1;
	test("packages are cut when full, each with its own key", packages);
	test("what failed is sent again, with the same key and bytes",
	    retries);
	test("what is refused is kept apart, and the rest goes on", refusal);
	test("after a stop nothing is sent and nothing is forgotten", stop);
	test("bodies are gzip unless that is off", compressed);
	test("as many requests as allowed run at a time", several);
	uploader_release(&u);
	settings_release(&settings);
	return tap_end();
}
