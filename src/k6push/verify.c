/* SPDX-License-Identifier: MIT */
/*
 * Asks a metrics store for the number of a push's requests, by the query API
 * that Prometheus, Mimir, Thanos and VictoriaMetrics share.
 */
#include "k6push/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/units.h"
#include "data/jsn.h"
#include "io/url.h"
#include "k6push/send/outcome_remote.h"

#define ASK_AGAIN_NS (NS_PER_S / 2)
/* A store that answers has longer than --drain, which is 30 s: VictoriaMetrics
 * hides the last 30 s. */
#define MORE_NS (5 * NS_PER_S)
#define MARGIN_NS (60 * NS_PER_S)	/* the zeros before the first sample */
/* Of a push that was killed: the first sample is not always the oldest, and the
 * latest may be in the future, as far as receivers take it. */
#define CUT_MARGIN_NS (3600 * NS_PER_S)
#define FUTURE_NS (600 * NS_PER_S)

/* The answer to a query. */
struct answer {
	const char *url;
	bool is_over, is_known;
	bool is_final;		/* a retry cannot change it */
	int64_t count;
	struct why why;
};

/* {"status":"success","data":{"result":[{"value":[TIME,"COUNT"]}]}}; without a
 * result there are no such series. */
static bool
parse_count(struct span body, int64_t *count)
{
	struct jsn j = jsn_of(body);
	struct span key, text = { NULL, 0 };
	bool is_success = false;
	double value = 0;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		if (span_is(key, "status") && jsn_peek(&j) == '"') {
			(void)jsn_text(&j, &text);
			is_success = span_is(text, "success");
			text.n = 0;
		} else if (!span_is(key, "data") || !jsn_enter(&j, '{')) {
			(void)jsn_skip(&j);
		} else {
			while (jsn_member(&j, &key))
				if (span_is(key, "result") &&
				    jsn_peek(&j) == '[')
					(void)jsn_value(&j, &text);
				else
					(void)jsn_skip(&j);
		}
	}
	if (!jsn_done(&j) || !is_success)
		return false;
	/* One series, as it is a sum: its value is the last text. */
	for (; text.n > 0 && text.p[text.n - 1] != '"'; text.n--)
		;
	if (text.n > 0)
		for (text.n--, key = text; key.n > 0 && key.p[key.n - 1] != '"';
		    key.n--)
			;
	if (text.n > 0 && num_parse(text.p + key.n, text.n - key.n, &value) !=
	    text.n - key.n)
		return false;
	*count = llround(value);
	return true;
}

/* Is the query itself refused? A setting is wrong: a person must act. */
static bool
is_refusal(const struct fetch_reply *reply)
{
	int s = reply->status;

	return s >= 300 && s < 500 && s != 408 && s != 425 && s != 429;
}

static void
on_answer(void *ctx, const struct fetch_reply *reply)
{
	struct answer *a = ctx;
	struct buf text = { 0 };
	char *url;

	a->is_over = true;
	a->is_known = reply->status == 200 &&
	    parse_count(reply->body, &a->count);
	if (a->is_known)
		return;
	a->is_final = is_refusal(reply);
	/* The query would be longer than all that there is to say. */
	url = xstrndup(a->url, strcspn(a->url, "?"));
	outcome_remote_describe_query(reply, url, &text);
	free(url);
	if (reply->status == 200)
		buf_text(&text, ", which is not the answer to a query");
	buf_text(&text, "");
	(void)why_set(&a->why, "%s", text.p);
	buf_release(&text);
}

/* Where queries go: beside the path of writes, or as the setting says. */
static char *
query_base(const struct settings *s)
{
	static const struct { const char *write, *query; } ends[] = {
		{ "/api/v1/write", "" },
		{ "/api/v1/push", "/prometheus" },	/* Mimir, Cortex */
		{ "/api/v1/receive", "" },		/* Thanos */
		{ "/api/v1/remote_write", "" },		/* AMP */
		{ "/api/prom/push", "/api/prom" },	/* Grafana Cloud */
	};
	const char *url = settings_text(s, SET_RW_QUERY_URL);
	size_t i, n, end;

	if (url != NULL) {
		for (n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
			;
		return xstrndup(url, n);
	}
	url = settings_text(s, SET_RW_URL);
	n = strlen(url);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		end = strlen(ends[i].write);
		if (n > end && strcmp(url + n - end, ends[i].write) == 0)
			return xasprintf("%.*s%s", (int)(n - end), url,
			    ends[i].query);
	}
	return xstrdup(url);
}

/* A text as a regular expression (RE2) within a PromQL string. */
static void
put_quoted(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("\\.+*?()|[]{}^$", *text) != NULL)
			buf_text(out, "\\\\");
		if (*text == '"' || *text == '\\')
			buf_char(out, '\\');
		if (*text == '\n')
			buf_text(out, "\\n");
		else
			buf_char(out, *text);
	}
}

static void
put_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (strchr("-._~", *text) != NULL ||
		    (*text >= '0' && *text <= '9') ||
		    (*text >= 'A' && *text <= 'Z') ||
		    (*text >= 'a' && *text <= 'z'))
			buf_char(out, *text);
		else
			buf_printf(out, "%%%02X", (unsigned char)*text);
}

/* Which run, and which instance. Samples may name a run of their own. */
static void
put_labels(struct buf *out, const struct note *n)
{
	if (!n->keeps_testid || (n->has_ended && !n->is_cut &&
	    !n->has_own_testids)) {
		buf_text(out, "testid=~\"");
		put_quoted(out, n->run);
		if (n->own_testid != NULL) {
			buf_char(out, '|');
			put_quoted(out, n->own_testid);
		}
		buf_text(out, "\",");
	}
	buf_text(out, "instance=~\"");
	put_quoted(out, n->instance);
	buf_text(out, "(\\\\.rest-.*)?\"");
}

/* When they were made. A push that was killed noted only when its first sample
 * was made; an older version of it only when it began itself. */
static void
find_range(const struct note *n, int64_t *first_ns, int64_t *last_ns)
{
	*first_ns = n->first_ns - MARGIN_NS;
	*last_ns = n->last_ns;
	if (n->last_ns != 0)
		return;
	*first_ns = (n->first_ns != 0 ? n->first_ns : n->started_ns) -
	    CUT_MARGIN_NS;
	*last_ns = now_unix_ns() + FUTURE_NS;
}

/* All of this push's requests. A series counts up, and ends with a marker:
 * its largest value is its count. What was read before a kill and never cut is
 * in series of instances NAME.rest-N. */
static char *
query_url(const struct session *session)
{
	const struct note *n = &session->note;
	int64_t first_ns, last_ns;
	char *base = query_base(&session->options->settings);
	struct buf query = { 0 }, url = { 0 };

	buf_text(&query, "sum(max_over_time(k6_http_reqs_total{");
	put_labels(&query, n);
	find_range(n, &first_ns, &last_ns);
	buf_printf(&query, "}[%lldms]))", (long long)((last_ns - first_ns) /
	    NS_PER_MS));
	buf_text(&query, "");
	/* In this order it can be signed. */
	buf_printf(&url, "%s/api/v1/query?query=", base);
	put_escaped(&url, query.p);
	buf_printf(&url, "&time=%lld.%03lld",
	    (long long)(last_ns / NS_PER_S + 1),
	    (long long)(last_ns / NS_PER_MS % 1000));
	buf_release(&query);
	free(base);
	return url.p;
}

/* One that does not come by then, in monotonic time, is waited for no more. */
static void
ask(struct session *session, struct answer *a, const char *url, int64_t until)
{
	struct fetch_request request = { .url = url,
	    .access = &session->remote.access };

	*a = (struct answer){ .url = url };
	if (fetch_start(session->fetcher, &request, on_answer, a, &a->why) < 0)
		return;
	while (!a->is_over && signals < 2 && now_monotonic_ns() < until)
		(void)fetcher_wait(session->fetcher, session->wake, 50);
	if (!a->is_over)
		fetch_cancel(session->fetcher, a);
}

/* Does an answer say more than the one before? A count does, and then a
 * refusal, or why there is none. */
static bool
says_more(const struct answer *next, const struct answer *a)
{
	return next->is_known || next->is_final || (!a->is_known &&
	    (next->why.text[0] != '\0' || a->why.text[0] == '\0'));
}

int
verify(struct session *session, struct why *why)
{
	int64_t drained = now_monotonic_ns() + session->options->drain_ns;
	int64_t want = session->note.made - session->note.dropped, again;
	struct answer a = { 0 }, next;
	char *url;

	url = query_url(session);
	for (;;) {
		ask(session, &next, url, drained + MORE_NS);
		if (says_more(&next, &a))
			a = next;
		if ((a.is_known && a.count == want) || a.is_final ||
		    signals > 0 || now_monotonic_ns() >= drained +
		    (a.is_known ? MORE_NS : 0))
			break;
		again = now_monotonic_ns() + ASK_AGAIN_NS;
		while (now_monotonic_ns() < again && signals == 0)
			(void)fetcher_wait(session->fetcher, session->wake,
			    100);
	}
	free(url);
	if (!a.is_known)
		return why_set(why, "%s", a.why.text[0] != '\0' ? a.why.text
		    : "no answer");
	session->is_verified = true;
	session->verified = a.count;
	return 0;
}
