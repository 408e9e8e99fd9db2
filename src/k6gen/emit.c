/* SPDX-License-Identifier: MIT */
#include "k6gen/emit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "data/stream.h"
#include "io/url.h"

#define TOOL "k6gen " K6PIPE_VERSION

enum {
	FULL = 1 << 16,		/* bytes that are worth a write */
	HOST_TEXT = 256,
	STATIC_TAGS = 12,	/* most that k6gen itself sets */
	TAG_SETS = 10000,	/* then start over: redirects may name ever
				   new URLs */
};

static const char *const executor_names[] = {
	[CONSTANT_VUS] = "constant-vus",
	[SHARED_ITERATIONS] = "shared-iterations",
	[PER_VU_ITERATIONS] = "per-vu-iterations",
};

static struct span
metric_name(enum emitted which)
{
	switch (which) {
	case EMIT_REQS:
		return SPAN("http_reqs");
	case EMIT_FAILED:
		return SPAN("http_req_failed");
	case EMIT_SENT:
	case EMIT_RECEIVED:
	case EMIT_ITERATION_DURATION:
	case EMIT_ITERATIONS:
		return span_of(net_names[which - EMIT_SENT]);
	case EMIT_VUS:
		return SPAN("vus");
	case EMIT_VUS_MAX:
		return SPAN("vus_max");
	default:
		return span_of(timing_names[which - EMIT_TIMINGS]);
	}
}

/* The run's tags in front of n others, which win. */
static const struct tagset *
make_tags(struct emit *e, const struct tag *others, size_t n)
{
	const struct opt_list *run = &e->plan->tags;
	struct tag *all = xcalloc(run->n + n, sizeof(*all));
	const struct tagset *set;
	const char *equals;
	size_t i;

	for (i = 0; i < run->n; i++) {
		equals = strchr(run->items[i], '=');
		all[i].key = (struct span){ run->items[i],
			(size_t)(equals - run->items[i]) };
		all[i].value = span_of(equals + 1);
	}
	for (i = 0; i < n; i++)
		all[run->n + i] = others[i];
	set = tags_intern(&e->tags, all, run->n + n);
	free(all);
	return set;
}

static void
make_fixed_tags(struct emit *e)
{
	static const struct tag vu[] = {
		{ { "group", 5 }, { "", 0 } },
		{ { "scenario", 8 }, { "default", 7 } },
	};

	e->run_tags = make_tags(e, NULL, 0);
	e->vu_tags = make_tags(e, vu, sizeof(vu) / sizeof(vu[0]));
}

void
emit_init(struct emit *e, const struct plan *plan)
{
	int i;

	*e = (struct emit){ .plan = plan, .expected.type = METRIC_TREND };
	for (i = 0; i < EMITTED; i++) {
		e->names[i] = metric_name((enum emitted)i);
		e->sinks[i].type = metric_builtin(e->names[i])->type;
	}
	make_fixed_tags(e);
}

/* The tag set of requests that show the same. */
struct known {
	const struct tagset *tags;
	char key[];
};

static void
forget_tags(struct emit *e)
{
	struct known *known;
	size_t at = 0;

	while ((known = map_next(&e->known, &at)) != NULL)
		free(known);
	map_release(&e->known);
	tags_release(&e->tags);
}

void
emit_release(struct emit *e)
{
	int i;

	for (i = 0; i < EMITTED; i++)
		sink_release(&e->sinks[i]);
	sink_release(&e->expected);
	forget_tags(e);
	buf_release(&e->key);
	buf_release(&e->out);
}

/* Begin to add samples of one time. */
static void
begin(struct emit *e, int64_t time_ns)
{
	/* When the first byte came that now waits to be written. */
	if (e->out.n == 0)
		e->oldest_ns = now_monotonic_ns();
	e->time_ns = time_ns;
	e->time_n = time_print(e->time_text, time_ns);
}

static void
add(struct emit *e, enum emitted which, double value, struct span text,
    const struct tagset *tags)
{
	struct span name = e->names[which];

	if (!e->is_declared[which])
		stream_print_metric(&e->out, metric_builtin(name));
	e->is_declared[which] = true;
	stream_print_text(&e->out, name,
	    (struct span){ e->time_text, e->time_n }, text, tags->json);
	sink_add(&e->sinks[which], value, e->time_ns);
	e->points++;
}

static void
add_ms(struct emit *e, enum emitted which, int64_t ns,
    const struct tagset *tags)
{
	char text[NUM_TEXT];

	add(e, which, (double)ns / 1e6,
	    (struct span){ text, num_print_ms(text, ns) }, tags);
}

static void
add_count(struct emit *e, enum emitted which, int64_t n,
    const struct tagset *tags)
{
	char text[NUM_TEXT];
	int length = snprintf(text, sizeof(text), "%lld", (long long)n);

	add(e, which, (double)n, (struct span){ text, (size_t)length }, tags);
}

void
emit_start(struct emit *e)
{
	const struct plan *p = e->plan;
	char host[HOST_TEXT] = "";
	struct run_start r = { .name = span_of(p->name), .tool = SPAN(TOOL),
		.executor = span_of(executor_names[p->executor]),
		.time_ns = now_unix_ns(), .vus = p->vus,
		.duration_ns = p->duration_ns + p->graceful_ns,
		.iterations = p->iterations };

	(void)gethostname(host, sizeof(host) - 1);
	r.host = span_of(host);
	begin(e, r.time_ns);
	run_start_print(&r, &e->out);
}

void
emit_end(struct emit *e, int exit_status)
{
	struct run_end r = { .tool = SPAN(TOOL), .time_ns = now_unix_ns(),
		.run_status = exit_status == EXIT_DONE ? RUN_FINISHED :
		    exit_status == EXIT_INTERRUPTED ? RUN_ABORTED_BY_USER :
		    RUN_ABORTED_BY_SYSTEM,
		.exit_code = exit_status, .streams = 1, .points = e->points,
		.requests = e->requests };

	begin(e, r.time_ns);
	run_end_print(&r, &e->out);
	emit_flush(e, INT64_MAX);
}

/* Tags of one request, filled in one by one. */
struct tag_list {
	struct tag tags[STATIC_TAGS];
	size_t n;
};

static void
add_tag(struct tag_list *list, const char *key, const char *value)
{
	if (value != NULL)
		list->tags[list->n++] = (struct tag){ span_of(key),
			span_of(value) };
}

static bool
is_expected(const struct swarm_reply *reply)
{
	return reply->status >= 200 && reply->status <= 399;
}

static const struct tagset *
make_request_tags(struct emit *e, const struct swarm_request *r,
    const struct swarm_reply *reply)
{
	struct tag_list list = { .n = 0 };
	char status[16], code[16], *url = url_mask(r->url);
	const struct tagset *set;

	(void)snprintf(status, sizeof(status), "%d", reply->status);
	(void)snprintf(code, sizeof(code), "%d", reply->error_code);
	add_tag(&list, "error", reply->error);
	add_tag(&list, "error_code", reply->error_code != 0 ? code : NULL);
	add_tag(&list, "expected_response",
	    is_expected(reply) ? "true" : "false");
	add_tag(&list, "group", "");
	add_tag(&list, "method", r->method);
	add_tag(&list, "name", url);
	add_tag(&list, "proto", reply->proto);
	add_tag(&list, "scenario", "default");
	add_tag(&list, "status", status);
	add_tag(&list, "tls_version", reply->tls_version);
	add_tag(&list, "url", url);
	set = make_tags(e, list.tags, list.n);
	free(url);
	return set;
}

/* All that make_request_tags reads. */
static struct span
request_key(struct emit *e, const struct swarm_request *r,
    const struct swarm_reply *reply)
{
	const char *texts[] = { r->url, r->method, reply->error, reply->proto,
		reply->tls_version };
	int numbers[] = { reply->status, reply->error_code };
	size_t i;

	buf_reset(&e->key);
	buf_add(&e->key, numbers, sizeof(numbers));
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i] != NULL)
			buf_text(&e->key, texts[i]);
		buf_char(&e->key, '\0');
	}
	return buf_whole(&e->key);
}

static const struct tagset *
request_tags(struct emit *e, const struct swarm_request *r,
    const struct swarm_reply *reply)
{
	struct span key = request_key(e, r, reply);
	struct known *known = map_get(&e->known, key);

	if (known != NULL)
		return known->tags;
	if (e->known.n >= TAG_SETS) {
		forget_tags(e);
		make_fixed_tags(e);
	}
	known = xmalloc(sizeof(*known) + key.n);
	memcpy(known->key, key.p, key.n);
	known->tags = make_request_tags(e, r, reply);
	map_put(&e->known, (struct span){ known->key, key.n }, known);
	return known->tags;
}

void
emit_request(struct emit *e, const struct swarm_request *r,
    const struct swarm_reply *reply)
{
	const struct tagset *tags = request_tags(e, r, reply);
	int i;

	begin(e, reply->time_ns);
	e->requests++;
	add_count(e, EMIT_REQS, 1, tags);
	for (i = 0; i < TIMINGS; i++)
		add_ms(e, (enum emitted)(EMIT_TIMINGS + i), reply->ns[i],
		    tags);
	add_count(e, EMIT_FAILED, !is_expected(reply), tags);
	if (is_expected(reply))
		sink_add(&e->expected,
		    (double)reply->ns[TIMING_DURATION] / 1e6, reply->time_ns);
}

void
emit_iteration(struct emit *e, const struct emit_iteration *i)
{
	const struct tagset *tags = e->vu_tags;

	begin(e, i->time_ns);
	add_count(e, EMIT_SENT, i->bytes.sent, tags);
	add_count(e, EMIT_RECEIVED, i->bytes.received, tags);
	if (i->is_interrupted)
		return;
	add_ms(e, EMIT_ITERATION_DURATION, i->duration_ns, tags);
	add_count(e, EMIT_ITERATIONS, 1, tags);
}

void
emit_vus(struct emit *e, int active)
{
	begin(e, now_unix_ns());
	add_count(e, EMIT_VUS, active, e->run_tags);
	add_count(e, EMIT_VUS_MAX, e->plan->vus, e->run_tags);
}

/* The reader has gone: end as a filter does, without a word. */
static void
die_of_pipe(void)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)raise(SIGPIPE);
	_exit(EXIT_FAILED);
}

/* Not through stdio, so that a second Ctrl-C ends a write that a slow reader
 * holds up. */
static void
write_out(struct emit *e)
{
	size_t at = 0;
	ssize_t n;

	while (at < e->out.n && e->error == 0) {
		n = write(STDOUT_FILENO, e->out.p + at, e->out.n - at);
		if (n >= 0)
			at += (size_t)n;
		else if (errno == EPIPE)
			die_of_pipe();
		else if (errno != EINTR)
			e->error = errno;
		else if (*e->plan->n_signals > 1)
			_exit(EXIT_INTERRUPTED);
	}
	buf_reset(&e->out);
}

int64_t
emit_due_ns(const struct emit *e)
{
	return e->out.n == 0 ? INT64_MAX : e->oldest_ns + EMIT_DELAY_NS;
}

void
emit_flush(struct emit *e, int64_t now_ns)
{
	if (e->out.n >= FULL || (e->out.n > 0 && now_ns >= emit_due_ns(e)))
		write_out(e);
}
