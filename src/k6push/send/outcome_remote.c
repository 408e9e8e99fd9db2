/* SPDX-License-Identifier: MIT */
/* Answers of Prometheus, and of those that speak its remote write. */
#include "k6push/send/outcome_remote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "io/url.h"

enum { SAID_MAX = 300 };	/* bytes of an answer that are told */

static bool
says(const struct fetch_reply *reply, const char *text)
{
	return reply->body.n > 0 && memmem(reply->body.p, reply->body.n, text,
	    strlen(text)) != NULL;
}

static bool
is_page(const struct fetch_reply *reply)
{
	return reply->type != NULL && strcasestr(reply->type, "html") != NULL;
}

/* A 2xx of something else than a receiver: it took nothing. */
static bool
is_foreign(const struct fetch_reply *reply)
{
	return is_page(reply) || !outcome_is_of_api(reply);
}

enum outcome
outcome_remote(const struct fetch_reply *reply)
{
	int s = reply->status;

	if (s >= 200 && s < 300)
		return is_foreign(reply) ? OUTCOME_HOLD : OUTCOME_ACKED;
	if (s == 0 || s == 408 || s == 425 || s == 429 || s >= 500)
		return OUTCOME_RETRY;
	if (s == 413)
		return OUTCOME_SPLIT;
	/* VictoriaMetrics answers so where it knows no such path. */
	if (s == 400 && (is_page(reply) || says(reply, "unsupported path")))
		return OUTCOME_HOLD;
	return s == 400 || s == 409 || s == 422 ? OUTCOME_REFUSED
	    : OUTCOME_HOLD;
}

#define WRITTEN "X-Prometheus-Remote-Write-"

static const char *
written(const struct fetch_reply *reply, const char *kind)
{
	char name[64];

	(void)snprintf(name, sizeof(name), WRITTEN "%s-Written", kind);
	return fetch_header(reply, name);
}

/* How many of a kind were written; those that are not told of were not. */
static uint64_t
count_of(const char *text)
{
	return text != NULL && text[0] >= '0' && text[0] <= '9'
	    ? strtoull(text, NULL, 10) : 0;
}

bool
outcome_remote_is_of_1(const struct fetch_reply *reply,
    struct wire_values sent)
{
	int s = reply->status;
	bool is_silent = written(reply, "Samples") == NULL &&
	    written(reply, "Histograms") == NULL && !is_page(reply);

	/* One that does not look at the type may read it as nothing, or as
	 * something damaged. */
	return sent.samples + sent.histograms > 0 && (s == 415 ||
	    (is_silent && (outcome_remote(reply) == OUTCOME_ACKED ||
	    s == 400)));
}

enum outcome
outcome_remote_written(enum outcome outcome, const struct fetch_reply *reply,
    struct wire_values sent)
{
	bool has_all = count_of(written(reply, "Samples")) >= sent.samples &&
	    count_of(written(reply, "Histograms")) >= sent.histograms;

	if (sent.samples + sent.histograms == 0)
		return outcome;
	if (outcome == OUTCOME_ACKED && !has_all)
		return OUTCOME_REFUSED;
	return outcome == OUTCOME_REFUSED && has_all ? OUTCOME_ACKED : outcome;
}

static bool
says_one_of(const struct fetch_reply *reply, const char *const *texts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (says(reply, texts[i]))
			return true;
	return false;
}

bool
outcome_remote_is_of_data(const struct fetch_reply *reply)
{
	static const char *const texts[] = { "label name",
	    "native histograms are disabled", "too old sample",
	    "out of order", "out of bounds", "duplicate sample", "invalid" };

	return says_one_of(reply, texts, sizeof(texts) / sizeof(texts[0]));
}

bool
outcome_remote_is_late(const struct fetch_reply *reply)
{
	return says(reply, "out of order") || says(reply, "out-of-order");
}

bool
outcome_remote_is_of_disk(const struct fetch_reply *reply)
{
	static const char *const texts[] = { "no space left", "write to WAL",
	    "read-only file system", "input/output error" };

	return says_one_of(reply, texts, sizeof(texts) / sizeof(texts[0]));
}

/* Which setting an answer to a write or a query is about; "" if none. */
static const char *
advice(const struct fetch_reply *reply, bool is_query)
{
	int s = reply->status;

	if (says(reply, "native histograms are disabled"))
		return "start Prometheus with --enable-feature="
		    "native-histograms, or use --rw-form classic";
	if (says(reply, "remote write receiver"))
		return "start Prometheus with "
		    "--web.enable-remote-write-receiver";
	if (says(reply, "no org id") || says(reply, "X-Scope-OrgID") ||
	    says(reply, "tenant"))
		return "name the tenant: --tenant";
	if (s == 401 || s == 403)
		return "see K6_PROMETHEUS_RW_USERNAME, _PASSWORD, "
		    "_BEARER_TOKEN, and --tenant";
	if (is_query)
		return s == 0 || s >= 429 ? "" : "is --query-url the URL "
		    "before /api/v1/query?";
	if (outcome_remote(reply) == OUTCOME_HOLD)
		return "is K6_PROMETHEUS_RW_SERVER_URL that of a remote write "
		    "receiver, such as http://HOST:9090/api/v1/write?";
	return "";
}

/* The first line, without what a terminal would take as an order. */
static void
add_said(const struct fetch_reply *reply, struct buf *out)
{
	size_t i;
	char c;

	for (i = 0; i < reply->body.n && i < SAID_MAX; i++) {
		c = reply->body.p[i];
		if (c == '\n' || c == '\r')
			break;
		buf_char(out, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
	}
}

static void
describe(const struct fetch_reply *reply, const char *url, bool is_query,
    struct buf *out)
{
	const char *hint = advice(reply, is_query);
	char *masked = url_mask(url), *proxy;

	if (reply->status == 0)
		buf_printf(out, "%s: %s", masked, reply->reason);
	else
		buf_printf(out, "%s answers %d %s", masked, reply->status,
		    reply->reason);
	if (reply->status != 0 && is_page(reply)) {
		buf_text(out, ", a page");
	} else if (reply->body.n > 0 && (reply->status >= 300 ||
	    (reply->status >= 200 && is_foreign(reply)))) {
		buf_text(out, ": ");
		add_said(reply, out);
		if (reply->status < 300)
			buf_text(out,
			    ", which is not the answer of a receiver");
	}
	if (written(reply, "Samples") != NULL ||
	    written(reply, "Histograms") != NULL)
		buf_printf(out, ", %" PRIu64 " samples and %" PRIu64
		    " histograms of the batch were written",
		    count_of(written(reply, "Samples")),
		    count_of(written(reply, "Histograms")));
	if (hint[0] != '\0')
		buf_printf(out, " (%s)", hint);
	free(masked);
	if (reply->proxy == NULL)
		return;
	proxy = url_mask(reply->proxy);
	buf_printf(out, " (through the proxy %s)", proxy);
	free(proxy);
}

void
outcome_remote_describe(const struct fetch_reply *reply, const char *url,
    struct buf *out)
{
	describe(reply, url, false, out);
}

void
outcome_remote_describe_query(const struct fetch_reply *reply,
    const char *url, struct buf *out)
{
	describe(reply, url, true, out);
}
