/* SPDX-License-Identifier: MIT */
#include "k6push/wire/wire.h"

static const struct wire *busy_wire_of(uint8_t format);
#define wire_of busy_wire_of
#include "k6push/send/upload.c"
#include "k6push/send/upload_reply.c"
#include "k6push/send/upload_withdraw.c"
#undef wire_of

#include <unistd.h>

#include "io/gz.h"
#include "tap.h"

/* The test is the network: it keeps each request, and answers by hand. */
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

static void
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

static void
end(void)
{
	uploader_free(u);
	packer_free(packer);
	settings_release(&settings);
}

static void
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
static struct batch *
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

static void
in_order(void)
{
	begin();
	(void)add(2);
	(void)add(1);
	uploader_start(u);
	CHECK(n_sent == 1 && u->in_flight == 1);	/* one at a time */
	CHECK_TEXT(sent[0].count, "2");
	CHECK(sent[0].body[0] == '[' && sent[0].body[sent[0].n - 1] == ']');
	CHECK(packer_loose_bytes(packer) > 0);
	answer(0, 200, "");
	uploader_start(u);
	answer(1, 409, "{}");		/* the server has the key */
	CHECK(uploader_is_idle(u) && u->acked.points == 3);
	CHECK(u->acked.requests == 3 && u->resent == 0);
	CHECK(packer_loose_bytes(packer) == 0);
	CHECK(strcmp(sent[0].key, sent[1].key) != 0);
	CHECK(strlen(sent[0].key) == 16 && strspn(sent[0].key,
	    "0123456789abcdef") == 16);
}

static void
retries(void)
{
	begin();
	(void)add(2);
	uploader_start(u);
	CHECK(!sent[0].is_retry);
	answer(0, 503, "");
	CHECK(u->failures == 1 && uploader_next_ns(u) > 0);
	CHECK(u->outages.n == 1);
	uploader_start(u);
	CHECK(n_sent == 1);		/* it is not yet time */
	u->retry_at_ns = 0;
	uploader_start(u);
	CHECK(n_sent == 2 && u->resent == 1 && sent[1].is_retry);
	CHECK_TEXT(sent[1].key, sent[0].key);
	CHECK(sent[1].n == sent[0].n &&
	    memcmp(sent[1].body, sent[0].body, sent[0].n) == 0);
	answer(1, 200, "");
	CHECK(u->failures == 0 && u->acked.points == 2);
	CHECK(uploader_is_idle(u) && u->outages.longest_ns > 0);
}

static void
refusal(void)
{
	int i;

	begin();
	(void)add(2);
	(void)add(3);
	uploader_start(u);
	answer(0, 400, "{\"error\":{\"message\":\"no\"}}");
	uploader_start(u);
	answer(1, 200, "");
	CHECK(u->splits == 1 && u->lost.points == 0);
	for (i = 2; i < 4; i++) {	/* and so are its parts */
		uploader_start(u);
		CHECK_TEXT(sent[i].count, "1");
		answer(i, 400, "{\"error\":{\"message\":\"no\"}}");
	}
	CHECK(uploader_is_idle(u) && u->untold_refusals == 1);
	CHECK(u->acked.points == 3 && u->lost.points == 2);
}

static void
stop(void)
{
	begin();
	(void)add(2);
	(void)add(2);
	uploader_start(u);
	answer(0, 403, "{\"error\":{\"code\":4,\"message\":\"full\"}}");
	CHECK(u->is_stopped && uploader_is_idle(u));
	uploader_start(u);
	CHECK(n_sent == 1 && uploader_next_ns(u) == INT64_MAX);
	CHECK(batches_amount(&u->waiting, false).points == 4);
	CHECK(u->acked.points == 0);
}

static void
compressed(void)
{
	struct buf out = { 0 };
	struct why why;

	begin();
	settings_release(&settings);
	settings_init(&settings);
	(void)add(2);
	uploader_start(u);
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
	int i;

	begin();
	(void)settings_set(&settings, SET_PUSH_CONCURRENCY, "3", FROM_FLAG,
	    NULL);
	for (i = 0; i < 5; i++)
		(void)add(1);
	uploader_start(u);
	CHECK(n_sent == 3 && u->in_flight == 3);
	answer(1, 200, "");
	answer(0, 500, "");
	u->retry_at_ns = 0;
	uploader_start(u);		/* 2 is under way: that is enough */
	CHECK(n_sent == 3);
	answer(2, 200, "");
	uploader_start(u);
	CHECK(n_sent > 3);
	CHECK_TEXT(sent[3].key, sent[0].key);
}

/* Answer the one that was sent last, and send the next. */
static void
step(int status)
{
	answer(n_sent - 1, status, "");
	u->retry_at_ns = 0;
	uploader_start(u);
}

static void
newest_first(void)
{
	char keys[20][17] = { "" };
	int i, newest = 0;

	begin();
	for (i = 0; i < 10; i++)
		(void)snprintf(keys[i], sizeof(keys[i]), "%.16s",
		    add(1)->id.key);
	uploader_start(u);
	CHECK_TEXT(sent[0].key, keys[0]);
	step(503);
	CHECK_TEXT(sent[1].key, keys[9]);	/* the newest, to see */
	step(0);
	CHECK_TEXT(sent[2].key, keys[9]);
	step(200);
	/* The backlog in order, and what is newest now and then. */
	for (i = 3; i < 8; i++) {
		(void)snprintf(keys[i + 7], sizeof(keys[0]), "%.16s",
		    add(1)->id.key);
		newest += strcmp(sent[i].key, keys[0]) != 0 &&
		    strcmp(sent[i].key, keys[1]) != 0 &&
		    strcmp(sent[i].key, keys[2]) != 0 &&
		    strcmp(sent[i].key, keys[3]) != 0;
		step(200);
	}
	CHECK(newest == 1);
	while (u->waiting.n > 0)
		step(200);
	CHECK(u->acked.points == 15 && !u->is_catching_up);
	CHECK(sent[0].n > 0);
}

static void
too_large(void)
{
	char first[64];

	begin();
	(void)add(5);
	uploader_start(u);
	(void)snprintf(first, sizeof(first), "%s", sent[0].key);
	step(413);		/* 2 and 3 */
	CHECK(u->splits == 1 && u->waiting.n == 2);
	CHECK_TEXT(sent[1].count, "2");
	step(413);		/* 1, 1 and 3 */
	CHECK_TEXT(sent[2].count, "3");
	CHECK(strcmp(sent[1].key, first) != 0 &&
	    strcmp(sent[1].key, sent[2].key) != 0);
	step(200);
	CHECK_TEXT(sent[3].count, "1");
	step(413);		/* a single sample: it is refused */
	step(200);
	CHECK(uploader_is_idle(u));
	CHECK(u->acked.points == 4 && u->lost.points == 1);
}

/* A batch of two, of which a try is lost and the next is too large. */
static void
lose_an_answer(void)
{
	begin();
	u->cannot_withdraw = false;
	(void)add(2);
	uploader_start(u);
	step(0);
	CHECK(n_sent == 2);
	answer(1, 413, "");
	CHECK(n_sent == 3 && u->splits == 0 && u->waiting.n == 1);
	CHECK_TEXT(sent[2].url, "http://x/v1/metrics/7/withdraw");
	CHECK_TEXT(sent[2].key, sent[0].key);
	uploader_start(u);
	CHECK(n_sent == 3);		/* it is not sent meanwhile */
}

static void
not_split_if_stored(void)
{
	lose_an_answer();
	answer(2, 200, "{\"stored\":true}");
	CHECK(uploader_is_idle(u) && u->splits == 0 && u->acked.points == 2);

	lose_an_answer();
	answer(2, 200, "{\"stored\":false}");
	CHECK(u->splits == 1 && u->waiting.n == 2);
	u->retry_at_ns = 0;
	uploader_start(u);
	step(200);
	step(200);
	CHECK(uploader_is_idle(u) && n_sent == 5 && u->acked.points == 2);
}

/* Its turn is now. */
static void
wait_out(void)
{
	struct batch *p;

	u->retry_at_ns = 0;
	for (p = u->waiting.first; p != NULL; p = p->next)
		p->not_before_ns = 0;
}

#define API_ERROR "{\"error\":{\"message\":\"no\"}}"

/* What is no answer of the API says nothing: the batch is sent again as a
 * whole, and asked for again, however often that goes on. */
static void
not_split_without_an_answer(void)
{
	static const struct { int status; const char *body; } odd[] = {
		{ 404, "<html>no backend</html>" }, { 403, "<html></html>" },
		{ 400, "<html></html>" }, { 413, "{}" }, { 200, "{}" },
		{ 200, "" }, { 404, "" }, { 404, "{\"error\":\"no\"}" },
		{ 200, "<html></html>" }, { 200, "{\"stored\":1}" },
		{ 200, "{\"stored\":true" }, { 409, "{}" }, { 503, API_ERROR },
		{ 500, "" }, { 501, "" }, { 0, "" }, { 429, API_ERROR },
		{ 401, API_ERROR }, { 302, "" },
	};
	size_t i, n = sizeof(odd) / sizeof(odd[0]);

	lose_an_answer();
	for (i = 0; i < n; i++) {
		answer(n_sent - 1, odd[i].status, odd[i].body);
		CHECK(u->splits == 0 && u->waiting.n == 1);
		CHECK(uploader_next_ns(u) > now_monotonic_ns());
		wait_out();
		uploader_start(u);		/* the whole again */
		CHECK_TEXT(sent[n_sent - 1].url, "http://x/v1/metrics/7");
		CHECK_TEXT(sent[n_sent - 1].key, sent[0].key);
		answer(n_sent - 1, 413, "");
		CHECK_TEXT(sent[n_sent - 1].url,
		    "http://x/v1/metrics/7/withdraw");
	}
	answer(n_sent - 1, 200, "{\"stored\":true}");
	CHECK(uploader_is_idle(u) && u->splits == 0 && u->acked.points == 2);
}

/* While its withdrawal is not answered, others go on. */
static void
others_go_on(void)
{
	lose_an_answer();
	(void)add(3);
	answer(2, 404, "<html></html>");
	uploader_start(u);
	CHECK_TEXT(sent[3].count, "3");
	answer(3, 200, "");
	CHECK(u->acked.points == 3 && u->waiting.n == 1 && u->splits == 0);
}

static void
a_server_that_knows_no_keys(void)
{
	static const int unknown[] = { 404, 405, 501, 400 };
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		lose_an_answer();
		answer(2, unknown[i], API_ERROR);
		CHECK(u->splits == 1 && u->waiting.n == 2);
	}
	/* It is not asked again. */
	u->retry_at_ns = 0;
	(void)add(2);
	uploader_start(u);
	step(200);
	step(200);
	step(0);
	answer(n_sent - 1, 413, "");
	CHECK(u->splits == 2);
}

/* One that has answered knows them. */
static void
a_server_that_has_answered(void)
{
	lose_an_answer();
	answer(2, 200, "{\"stored\":true}");
	(void)add(2);
	uploader_start(u);
	step(0);
	answer(n_sent - 1, 413, "");
	answer(n_sent - 1, 404, API_ERROR);
	CHECK(u->splits == 0 && u->waiting.n == 1 && !u->cannot_withdraw);
}

/* A wire with which, while a batch is being split, the reader begins another:
 * it takes the next number. */
static struct wire busy_wire;
static uint64_t reader_took;

static int
split_while_reading(const struct batch *p, struct span kept,
    struct batch *left, struct batch *right, struct why *why)
{
	reader_took = numbers_take(&numbers, 1);
	return wire_v1.split(p, kept, left, right, why);
}

static const struct wire *
busy_wire_of(uint8_t format)
{
	if (format != wire_v1.format)
		return wire_of(format);
	busy_wire = wire_v1;
	busy_wire.split = split_while_reading;
	return &busy_wire;
}

static void
parts_have_their_own_numbers(void)
{
	const struct batch *p;
	uint64_t before = 0;

	begin();
	(void)add(4);
	uploader_start(u);
	answer(0, 413, "");
	CHECK(reader_took == 2 && u->waiting.n == 2);
	for (p = u->waiting.first; p != NULL; p = p->next) {
		CHECK(p->id.number != reader_took && p->id.number > before);
		before = p->id.number;
	}
	CHECK(numbers_take(&numbers, 1) > before);
}

static void
parts_are_the_same(void)
{
	struct batch *whole, *a, *b;

	begin();
	whole = add(2);
	a = batch_part(whole, 0);
	b = batch_part(whole, 0);
	CHECK(memcmp(a->id.key, b->id.key, JOURNAL_KEY) == 0);
	CHECK(a->id.parent == whole->id.number);
	batch_free(b);
	b = batch_part(whole, 1);
	CHECK(memcmp(a->id.key, b->id.key, JOURNAL_KEY) != 0);
	batch_free(a);
	batch_free(b);
}

static void
heartbeat(void)
{
	begin();
	uploader_beat(u, 0);
	CHECK(n_sent == 0);
	u->acked_ns = now_monotonic_ns();
	uploader_beat(u, NS_PER_S * 30);
	CHECK(n_sent == 0);		/* it heard of us just now */
	u->acked_ns = now_monotonic_ns() - NS_PER_S * 31;
	uploader_beat(u, NS_PER_S * 30);
	CHECK(n_sent == 1 && sent[0].n == 2);
	CHECK_TEXT(sent[0].count, "0");
	uploader_beat(u, NS_PER_S * 30);
	CHECK(n_sent == 1);
	answer(0, 500, "");		/* no harm */
	CHECK(uploader_is_idle(u) && u->failures == 0);
}

static void
left_under_way(void)
{
	begin();
	(void)add(1);
	uploader_start(u);
	CHECK(u->in_flight == 1);
	uploader_free(u);	/* AddressSanitizer looks at what is left */
	u = NULL;
}

int
main(void)
{
	if (freopen("/dev/null", "w", stderr) == NULL)	/* its warnings */
		return 1;
	test("of which a try may have arrived is asked for before it is split",
	    not_split_if_stored);
	test("without an answer of the API to that it is not split",
	    not_split_without_an_answer);
	test("meanwhile others go on", others_go_on);
	test("a server that has once answered that is not said to be unable",
	    a_server_that_has_answered);
	test("a server that knows no such call is asked once",
	    a_server_that_knows_no_keys);
	test("batches go in order, each with its own key", in_order);
	test("what failed is sent again, with the same key and bytes",
	    retries);
	test("what is refused is counted, and the rest goes on", refusal);
	test("after a stop nothing is sent and nothing is forgotten", stop);
	test("bodies are gzip unless that is off", compressed);
	test("as many requests as allowed run at a time", several);
	test("after an outage the newest goes first, then the backlog",
	    newest_first);
	test("what is too large is split until it fits, or is one sample",
	    too_large);
	test("the same split gives the same keys", parts_are_the_same);
	test("what is read during a split has a number of its own",
	    parts_have_their_own_numbers);
	test("a silent run is told of, but not often", heartbeat);
	test("requests under way are let go at the end", left_under_way);
	end();
	return tap_end();
}
