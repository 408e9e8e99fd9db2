/* SPDX-License-Identifier: MIT */
/* Samples and their tags, as lines of the stream. */
#include "k6gen/samples/emit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "data/stream.h"
#include "io/url.h"
#include "k6gen/samples/declare.h"

enum {
	FULL = 1 << 18,		/* bytes that are worth a write */
	MOST_TAGS = 16,		/* that k6gen itself sets */
	TAG_SETS = 10000,	/* then start over: redirects may name ever
				   new URLs */
	SHOWN_BODY = 1024,	/* bytes of a failing response */
};

static bool
has_tag(const struct emit *e, enum system_tag tag)
{
	return e->plan->system_tags & 1U << tag;
}

static struct tagged
make_tagged(struct emit *e, const struct tagset *set)
{
	struct tagged t = { .set = set };
	size_t i;

	for (i = 0; i < e->plan->n_submetrics; i++)
		if (threshold_key_matches(&e->plan->submetrics[i].key, set))
			t.subs |= UINT64_C(1) << i;
	return t;
}

/* The run's tags, those of a request's target, and others; the later win. */
static struct tagged
make_tags(struct emit *e, const struct emit_request *r,
    const struct tag *others, size_t n)
{
	const struct opt_list *run = &e->plan->tags;
	const struct tag *own = r != NULL ? r->tags : NULL;
	size_t i, at = 0, n_own = r != NULL ? r->n_tags : 0;
	struct tag *all = xcalloc(run->n + n_own + n, sizeof(*all));
	const struct tagset *set;
	const char *equals;

	for (i = 0; i < run->n; i++) {
		equals = strchr(run->items[i], '=');
		all[at].key = (struct span){ run->items[i],
			(size_t)(equals - run->items[i]) };
		all[at++].value = span_of(equals + 1);
	}
	for (i = 0; i < n_own; i++)
		all[at++] = own[i];
	for (i = 0; i < n; i++)
		all[at++] = others[i];
	set = tags_intern(&e->tags, all, at);
	free(all);
	return make_tagged(e, set);
}

/* Tags of one sample, filled in one by one. */
struct tag_list {
	struct tag tags[MOST_TAGS];
	size_t n;
};

static void
add_tag(const struct emit *e, struct tag_list *list, enum system_tag tag,
    const char *key, const char *value)
{
	if (value != NULL && has_tag(e, tag))
		list->tags[list->n++] = (struct tag){ span_of(key),
			span_of(value) };
}

static void
add_vu_tags(const struct emit *e, struct tag_list *list)
{
	add_tag(e, list, TAG_GROUP, "group", "");
	add_tag(e, list, TAG_SCENARIO, "scenario", "default");
}

static void
make_fixed_tags(struct emit *e)
{
	struct tag_list list;
	size_t i;

	e->run_tags = make_tags(e, NULL, NULL, 0);
	list.n = 0;
	add_vu_tags(e, &list);
	e->vu_tags = make_tags(e, NULL, list.tags, list.n);
	for (i = 0; i < e->plan->n_checks; i++) {
		list.n = 0;
		add_vu_tags(e, &list);
		add_tag(e, &list, TAG_CHECK, "check",
		    e->plan->checks[i].name);
		e->check_tags[i] = make_tags(e, NULL, list.tags, list.n);
	}
}

void
emit_init(struct emit *e, const struct plan *plan, struct writer *writer,
    int64_t *errors_left)
{
	int i;

	*e = (struct emit){ .plan = plan, .writer = writer,
		.errors_left = errors_left };
	tally_init(&e->tally, plan);
	for (i = 0; i < EMITTED; i++)
		stream_print_head(&e->heads[i],
		    plan_metric((enum emitted)i)->name);
	e->check_tags = xcalloc(plan->n_checks, sizeof(*e->check_tags));
	make_fixed_tags(e);
}

void
emit_declarations(const struct plan *plan, struct buf lines[EMITTED])
{
	int i;

	for (i = 0; i < EMITTED; i++)
		declare_metric(plan, (enum emitted)i, &lines[i]);
}

/* The tag set of requests that show the same. */
struct known {
	struct tagged tags;
	struct outcome *outcome;	/* of the tally */
	struct by_name *name;
	size_t n;
	char key[];
};

static void
forget_tags(struct emit *e)
{
	struct known *known;
	size_t at = 0;

	while ((known = map_next(&e->known, &at)) != NULL)
		free(known);
	e->last = NULL;
	map_release(&e->known);
	tags_release(&e->tags);
}

void
emit_release(struct emit *e)
{
	int i;

	tally_release(&e->tally);
	forget_tags(e);
	for (i = 0; i < EMITTED; i++)
		buf_release(&e->heads[i]);
	free(e->check_tags);
	buf_release(&e->key);
	buf_release(&e->metadata);
	buf_release(&e->out);
}

/* Begin to add samples of one time. */
static void
begin_samples(struct emit *e, int64_t time_ns)
{
	int64_t last_ns = e->time_ns;

	buf_reset(&e->metadata);
	e->time_ns = time_ns;
	if (e->writer == NULL)
		return;
	/* When the first byte came that now waits to be written. */
	if (e->out.n == 0)
		e->oldest_ns = now_monotonic_ns();
	e->time_n = time_print_next(e->time_text, time_ns, last_ns);
}

static void
put_sample(struct emit *e, enum emitted which, struct span text,
    const struct tagged *tags)
{
	e->used |= UINT64_C(1) << which;
	stream_print_text(&e->out, buf_whole(&e->heads[which]),
	    (struct span){ e->time_text, e->time_n }, text, tags->set->json,
	    buf_whole(&e->metadata));
}

static void
add_ms(struct emit *e, enum emitted which, int64_t ns,
    const struct tagged *tags)
{
	char text[NUM_TEXT];

	tally_add_ns(&e->tally, which, ns, e->time_ns, tags->subs);
	if (e->writer != NULL)
		put_sample(e, which, (struct span){ text,
		    num_print_ms(text, ns) }, tags);
}

static void
add_count(struct emit *e, enum emitted which, int64_t n,
    const struct tagged *tags)
{
	char text[NUM_TEXT];

	tally_add(&e->tally, which, (double)n, e->time_ns, tags->subs);
	if (e->writer != NULL)
		put_sample(e, which, (struct span){ text,
		    num_print_int(text, n) }, tags);
}

static void
put_line(struct emit *e)
{
	if (e->writer == NULL)
		buf_reset(&e->out);
	else
		emit_flush(e, INT64_MAX);
}

void
emit_start(struct emit *e)
{
	begin_samples(e, now_unix_ns());
	declare_start(e->plan, e->time_ns, &e->out);
	put_line(e);
}

void
emit_end(struct emit *e, const struct tally *run, int exit_status,
    enum run_status run_status, const bool *failed)
{
	begin_samples(e, now_unix_ns());
	declare_end(run, e->time_ns, exit_status, run_status, failed,
	    &e->out);
	put_line(e);
}

static bool
is_expected(const struct http_reply *reply)
{
	return reply->status >= 200 && reply->status <= 399;
}

static struct tagged
make_request_tags(struct emit *e, const struct emit_request *r)
{
	const struct http_reply *reply = r->reply;
	struct tag_list list = { .n = 0 };
	char status[16], code[16], *url = url_mask(r->url);
	const char *name = r->name;
	struct tagged tags;

	(void)snprintf(status, sizeof(status), "%d", reply->status);
	(void)snprintf(code, sizeof(code), "%d", reply->error_code);
	add_vu_tags(e, &list);
	add_tag(e, &list, TAG_ERROR, "error", reply->error);
	add_tag(e, &list, TAG_ERROR_CODE, "error_code",
	    reply->error_code != 0 ? code : NULL);
	add_tag(e, &list, TAG_EXPECTED_RESPONSE, "expected_response",
	    is_expected(reply) ? "true" : "false");
	add_tag(e, &list, TAG_IP, "ip", reply->ip);
	add_tag(e, &list, TAG_METHOD, "method", r->method);
	add_tag(e, &list, TAG_NAME, "name", name != NULL ? name : url);
	add_tag(e, &list, TAG_PROTO, "proto", reply->proto);
	add_tag(e, &list, TAG_STATUS, "status", status);
	add_tag(e, &list, TAG_TLS_VERSION, "tls_version",
	    reply->tls_version);
	add_tag(e, &list, TAG_URL, "url", name != NULL ? name : url);
	tags = make_tags(e, r, list.tags, list.n);
	free(url);
	return tags;
}

/* All that make_request_tags reads. */
static struct span
request_key(struct emit *e, const struct emit_request *r)
{
	const struct http_reply *reply = r->reply;
	int numbers[] = { reply->status, reply->error_code, r->name != NULL };
	const char *texts[] = { r->name != NULL ? r->name : r->url, r->method,
		reply->error, reply->proto, reply->tls_version,
		has_tag(e, TAG_IP) ? reply->ip : NULL };
	size_t i, n;

	buf_reset(&e->key);
	buf_add(&e->key, numbers, sizeof(numbers));
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		n = texts[i] != NULL ? strlen(texts[i]) : 0;
		buf_add(&e->key, n > 0 ? texts[i] : "", n + 1);
	}
	for (i = 0; i < r->n_tags; i++) {
		buf_span(&e->key, r->tags[i].key);
		buf_char(&e->key, '\0');
		buf_span(&e->key, r->tags[i].value);
		buf_char(&e->key, '\0');
	}
	return buf_whole(&e->key);
}

static void
note_known(struct emit *e, struct known *known, const struct emit_request *r)
{
	char *url = url_mask(r->url);

	known->tags = make_request_tags(e, r);
	known->outcome = tally_outcome(&e->tally, r->reply->status,
	    r->reply->error != NULL ? r->reply->error : "no answer");
	known->name = tally_name(&e->tally, r->name != NULL ? r->name : url);
	free(url);
}

static const struct known *
request_tags(struct emit *e, const struct emit_request *r)
{
	struct span key = request_key(e, r);
	struct known *known = e->last;

	if (known != NULL && known->n == key.n &&
	    memcmp(known->key, key.p, key.n) == 0)
		return known;
	known = map_get(&e->known, key);
	if (known == NULL && e->known.n >= TAG_SETS) {
		forget_tags(e);
		make_fixed_tags(e);
	}
	if (known == NULL) {
		known = xmalloc(sizeof(*known) + key.n);
		known->n = key.n;
		memcpy(known->key, key.p, key.n);
		note_known(e, known, r);
		map_put(&e->known, (struct span){ known->key, key.n },
		    known);
	}
	e->last = known;
	return known;
}

/* Headers and first bytes of one of the failing responses to show. */
static void
put_response(struct jsn_out *o, const struct http_reply *reply)
{
	struct span body = reply->body;

	if (reply->headers.n > 0)
		jsn_member_text(o, "response_headers", reply->headers);
	if (body.n > SHOWN_BODY)
		body.n = SHOWN_BODY;
	if (body.n > 0)
		jsn_member_text(o, "response_body", body);
}

/* k6 keeps there what would make too many series. */
static void
make_metadata(struct emit *e, int64_t vu, int64_t iter,
    const struct http_reply *failed)
{
	struct jsn_out o = { .to = &e->metadata };
	char text[NUM_TEXT];

	if (e->writer == NULL || (failed == NULL && !has_tag(e, TAG_VU) &&
	    !has_tag(e, TAG_ITER)))
		return;
	jsn_open(&o, '{');
	if (has_tag(e, TAG_ITER))
		jsn_member_text(&o, "iter", (struct span){ text,
		    num_print_int(text, iter) });
	if (failed != NULL)
		put_response(&o, failed);
	if (has_tag(e, TAG_VU))
		jsn_member_text(&o, "vu", (struct span){ text,
		    num_print_int(text, vu) });
	jsn_close(&o, '}');
}

static bool
is_shown(struct emit *e, const struct http_reply *reply)
{
	return !is_expected(reply) && e->plan->sample_errors > 0 &&
	    __atomic_fetch_sub(e->errors_left, 1, __ATOMIC_RELAXED) > 0;
}

void
emit_request(struct emit *e, const struct emit_request *r)
{
	const struct known *known = request_tags(e, r);
	const struct tagged *tags = &known->tags;
	const struct http_reply *reply = r->reply;
	int i;

	known->outcome->n++;
	known->name->failed += !is_expected(reply);
	sink_add(&known->name->durations,
	    (double)reply->ns[TIMING_DURATION] / 1e6, reply->time_ns);
	begin_samples(e, reply->time_ns);
	make_metadata(e, r->vu, r->iter, is_shown(e, reply) ? reply : NULL);
	e->tally.requests++;
	add_count(e, EMIT_REQS, 1, tags);
	for (i = 0; i < TIMINGS; i++)
		add_ms(e, (enum emitted)(EMIT_TIMINGS + i), reply->ns[i],
		    tags);
	add_count(e, EMIT_FAILED, !is_expected(reply), tags);
}

void
emit_check(struct emit *e, size_t check, bool is_passed)
{
	if (is_passed)
		e->tally.checks[check].passes++;
	else
		e->tally.checks[check].fails++;
	add_count(e, EMIT_CHECKS, is_passed, &e->check_tags[check]);
}

void
emit_iteration(struct emit *e, const struct emit_iteration *i)
{
	const struct tagged *tags = &e->vu_tags;

	begin_samples(e, i->time_ns);
	make_metadata(e, i->vu, i->iter, NULL);
	add_count(e, EMIT_SENT, i->bytes.sent, tags);
	add_count(e, EMIT_RECEIVED, i->bytes.received, tags);
	if (i->is_interrupted) {
		e->tally.interrupted++;
		return;
	}
	e->tally.complete++;
	add_ms(e, EMIT_ITERATION_DURATION, i->duration_ns, tags);
	add_count(e, EMIT_ITERATIONS, 1, tags);
	if (i->lag_ns >= 0)
		add_ms(e, EMIT_SCHEDULE_LAG, i->lag_ns, tags);
}

void
emit_dropped(struct emit *e, int64_t n, int64_t time_ns)
{
	begin_samples(e, time_ns);
	add_count(e, EMIT_DROPPED, n, &e->vu_tags);
}

void
emit_second(struct emit *e, const struct emit_second *s)
{
	char text[NUM_TEXT];

	begin_samples(e, now_unix_ns());
	add_count(e, EMIT_VUS, s->active, &e->run_tags);
	add_count(e, EMIT_VUS_MAX, s->vus_max, &e->run_tags);
	add_ms(e, EMIT_GENERATOR_LAG, s->lag_ns, &e->run_tags);
	tally_add(&e->tally, EMIT_GENERATOR_CPU, s->cpu_percent, e->time_ns,
	    e->run_tags.subs);
	if (e->writer != NULL)
		put_sample(e, EMIT_GENERATOR_CPU, (struct span){ text,
		    num_print(text, s->cpu_percent) }, &e->run_tags);
}

int64_t
emit_due_ns(const struct emit *e)
{
	return e->out.n == 0 ? INT64_MAX : e->oldest_ns + EMIT_DELAY_NS;
}

void
emit_flush(struct emit *e, int64_t now_ns)
{
	if (e->out.n < FULL && (e->out.n == 0 || now_ns < emit_due_ns(e)))
		return;
	writer_put(e->writer, &e->out, e->used);
	e->used = 0;
}
