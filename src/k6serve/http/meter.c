/* SPDX-License-Identifier: MIT */
/* Counts requests and batches, and prints the counts for Prometheus. */
#include "k6serve/http/meter.h"

#include "base/units.h"
#include "k6serve/http/server.h"

enum meter_class
meter_class_of(const struct route *route)
{
	if (route->access == ACCESS_OPEN)
		return METER_OPEN;
	if (route->access == ACCESS_WRITE)
		return route->takes_data ? METER_PUSH : METER_WRITE;
	return route->is_quick ? METER_PAGE : METER_READ;
}

static uint64_t
get(_Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static void
add(_Atomic uint64_t *count, uint64_t n)
{
	(void)atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

void
meter_reply(struct meter *m, const struct httpd_request *r,
    const struct httpd_reply *reply)
{
	int status = reply->status - METER_STATUS_LEAST;

	if (status >= 0 && status < METER_STATUSES)
		m->requests[r->class][status]++;
	m->body_bytes[r->class] += r->body.n;
}

void
meter_stored(struct meter *m, const struct call_stored *stored)
{
	add(&m->batches, stored->is_batch);
	add(&m->repeated, stored->is_repeated);
	add(&m->samples, (uint64_t)stored->samples);
	add(&m->http_reqs, (uint64_t)stored->http_reqs);
}

/* The lines in front of a metric's values. */
static void
put_head(struct buf *out, const char *name, const char *type,
    const char *help)
{
	buf_printf(out, "# HELP k6serve_%s %s\n# TYPE k6serve_%s %s\n", name,
	    help, name, type);
}

static void
put_one(struct buf *out, const char *name, const char *type,
    const char *help, uint64_t value)
{
	put_head(out, name, type, help);
	buf_printf(out, "k6serve_%s %llu\n", name, (unsigned long long)value);
}

static const char *
name_of(enum meter_class class)
{
	static const char *const names[METER_CLASSES] = {
		[METER_OTHER] = "other", [METER_PUSH] = "push",
		[METER_WRITE] = "write", [METER_READ] = "read",
		[METER_PAGE] = "page", [METER_OPEN] = "open",
	};

	return names[class];
}

/* Status 200 is there from the start: a counter that comes into being with a
 * value has no increase that Prometheus could see. */
static void
put_requests(struct buf *out, const struct meter *m)
{
	enum meter_class class;
	int status;

	put_head(out, "http_requests_total", "counter",
	    "Requests that were answered, by class of route and status.");
	for (class = 0; class < METER_CLASSES; class++)
		for (status = 0; status < METER_STATUSES; status++)
			if (m->requests[class][status] != 0 ||
			    status + METER_STATUS_LEAST == 200)
				buf_printf(out, "k6serve_http_requests_total"
				    "{route=\"%s\",status=\"%d\"} %llu\n",
				    name_of(class),
				    status + METER_STATUS_LEAST,
				    (unsigned long long)
				    m->requests[class][status]);
	put_head(out, "http_body_bytes_total", "counter",
	    "Bytes of the bodies of these requests, as sent.");
	for (class = 0; class < METER_CLASSES; class++)
		buf_printf(out, "k6serve_http_body_bytes_total{route=\"%s\"} "
		    "%llu\n", name_of(class),
		    (unsigned long long)m->body_bytes[class]);
}

static void
put_stored(struct buf *out, struct meter *m)
{
	put_one(out, "batches_stored_total", "counter",
	    "Batches of samples that were committed.", get(&m->batches));
	put_one(out, "batches_repeated_total", "counter",
	    "Batches that had been stored before and changed nothing.",
	    get(&m->repeated));
	put_one(out, "samples_stored_total", "counter",
	    "Samples in the batches that were committed.", get(&m->samples));
	put_one(out, "http_reqs_stored_total", "counter",
	    "Requests of load tests in the batches that were committed.",
	    get(&m->http_reqs));
}

/* The count is the sum of the parts, so that it fits them although the writer
 * goes on. */
static void
put_commits(struct buf *out, const struct writer_stats *w)
{
	uint64_t n = 0;
	int i;

	put_head(out, "commit_seconds", "histogram",
	    "How long the commits of groups of batches took.");
	for (i = 0; i < WRITER_BOUNDS; i++) {
		n += w->commits[i];
		buf_printf(out, "k6serve_commit_seconds_bucket{le=\"%g\"} "
		    "%llu\n", (double)writer_bounds_us[i] / 1e6,
		    (unsigned long long)n);
	}
	n += w->commits[WRITER_BOUNDS];
	buf_printf(out, "k6serve_commit_seconds_bucket{le=\"+Inf\"} %llu\n"
	    "k6serve_commit_seconds_sum %.9g\n"
	    "k6serve_commit_seconds_count %llu\n", (unsigned long long)n,
	    (double)w->commit_ns / 1e9, (unsigned long long)n);
	put_one(out, "commits_failed_total", "counter",
	    "Commits of groups that failed, after which each batch is tried "
	    "alone.", w->n_failed);
}

static void
put_queues(struct buf *out, struct server *server,
    const struct writer_stats *w)
{
	put_head(out, "queue_length", "gauge",
	    "Requests that wait for the thread that writes, or for one that "
	    "reads.");
	buf_printf(out, "k6serve_queue_length{queue=\"write\"} %zu\n"
	    "k6serve_queue_length{queue=\"read\"} %zu\n", w->n_queued,
	    readers_queued(server->readers));
}

static void
put_lease(struct buf *out, const struct writer_stats *w)
{
	put_one(out, "lease_held", "gauge", "1: this server does the periodic "
	    "work; 0: another one on the database does.", w->is_ours);
	put_one(out, "lease_fence", "gauge", "The number of that lease when it "
	    "was last held here; 0: never, or a file, which needs none.",
	    w->fence);
	put_one(out, "lease_taken_total", "counter",
	    "Times that the lease was taken anew.", w->n_taken);
	put_one(out, "lease_too_late_total", "counter", "Transactions of the "
	    "periodic work that were undone, as another server had the lease.",
	    w->n_too_late);
}

static void
show_metrics(struct call *c)
{
	struct server *server = c->ctx;
	struct meter *m = &server->meter;
	struct buf *out = &c->reply->body;
	struct writer_stats w;

	writer_stats_get(server->writer, &w);
	c->reply->status = 200;
	c->reply->type = "text/plain; version=0.0.4; charset=utf-8";
	put_requests(out, m);
	put_stored(out, m);
	put_commits(out, &w);
	put_queues(out, server, &w);
	put_lease(out, &w);
	put_one(out, "connections", "gauge", "Open connections.",
	    httpd_connections(c->r->server));
	put_one(out, "event_streams", "gauge",
	    "Connections that follow a run's events.",
	    httpd_streams(c->r->server));
	put_head(out, "build_info", "gauge", "The version, as a label.");
	buf_printf(out, "k6serve_build_info{version=\"%s\"} 1\n",
	    K6PIPE_VERSION);
	put_one(out, "start_time_seconds", "gauge",
	    "When this server began to listen, in seconds since 1970.",
	    (uint64_t)(m->started_ns / NS_PER_S));
}

/* Why not is for the log alone: anybody may ask. */
static void
show_ready(struct call *c)
{
	struct jsn_out o;
	struct why why;

	if (store_check_ready(c->store, &why) < 0) {
		reply_error(c->reply, 503, ERROR_DATABASE_BUSY,
		    "the database cannot be used");
		reply_field(c->reply, "Retry-After", "1");
		reply_cause(c->reply, &why);
		return;
	}
	o = reply_json(c->reply, 200);
	jsn_open(&o, '{');
	jsn_member_text(&o, "status", SPAN("ready"));
	jsn_close(&o, '}');
}

const struct route meter_routes[] = {
	{ "GET", "/metrics", ACCESS_READ, .answer = show_metrics,
	    .is_quick = true, .needs_no_store = true, .words = "" },
	{ "GET", "/ready", ACCESS_OPEN, .answer = show_ready,
	    .takes_any_host = true, .words = "" },
	{ 0 },
};
