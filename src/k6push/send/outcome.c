/* SPDX-License-Identifier: MIT */
/* What an answer of the cloud means for the samples it is about. */
#include "k6push/send/outcome.h"

#include <stdlib.h>
#include <strings.h>

#include "data/jsn.h"
#include "io/url.h"

enum { CODE_NO_MORE_METRICS = 4 };

/* The error object of a reply, its texts raw. */
struct api_error {
	bool is_there;
	double code;
	struct span message, reason, details, field_errors, errors;
};

/* False when the body is not JSON. An object without "error" is empty. */
static bool
parse_error(struct span body, struct api_error *e)
{
	struct jsn j = jsn_of(body);
	struct span key;

	*e = (struct api_error){ 0 };
	if (!jsn_enter(&j, '{'))
		return false;
	while (jsn_member(&j, &key)) {
		if (!span_is(key, "error") || jsn_peek(&j) != '{') {
			(void)jsn_skip(&j);
			continue;
		}
		(void)jsn_enter(&j, '{');
		e->is_there = true;
		while (jsn_member(&j, &key)) {
			if (span_is(key, "code") && jsn_peek(&j) != 'n')
				(void)jsn_number(&j, &e->code);
			else if (span_is(key, "message") &&
			    jsn_peek(&j) == '"')
				(void)jsn_text(&j, &e->message);
			else if (span_is(key, "reason") &&
			    jsn_peek(&j) == '"')
				(void)jsn_text(&j, &e->reason);
			else if (span_is(key, "details"))
				(void)jsn_value(&j, &e->details);
			else if (span_is(key, "field_errors"))
				(void)jsn_value(&j, &e->field_errors);
			else if (span_is(key, "errors"))
				(void)jsn_value(&j, &e->errors);
			else
				(void)jsn_skip(&j);
		}
	}
	return jsn_done(&j);
}

bool
outcome_is_of_api(const struct fetch_reply *reply)
{
	struct jsn j = jsn_of(reply->body);

	if (reply->body.n == 0 || (reply->type != NULL &&
	    (strcasestr(reply->type, "protobuf") != NULL ||
	    strncasecmp(reply->type, "application/octet-stream", 24) == 0)))
		return true;
	/* The end of a long one is not there. */
	if (reply->body.n >= FETCH_BODY_MAX)
		return jsn_peek(&j) == '{';
	return jsn_skip(&j) && jsn_done(&j);
}

static bool
is_success(int status)
{
	return (status >= 200 && status < 300) || status == 409;
}

enum outcome
outcome_of(const struct fetch_reply *reply)
{
	struct api_error error;
	int s = reply->status;

	if (is_success(s))
		return outcome_is_of_api(reply) ? OUTCOME_ACKED : OUTCOME_HOLD;
	if (s == 403 && parse_error(reply->body, &error) &&
	    error.code == CODE_NO_MORE_METRICS)
		return OUTCOME_STOP;
	if (s == 0 || s == 408 || s == 425 || s == 429 || s >= 500)
		return OUTCOME_RETRY;
	if (s == 413)
		return OUTCOME_SPLIT;
	return s == 400 || s == 415 || s == 422 ? OUTCOME_REFUSED
	    : OUTCOME_HOLD;
}

bool
outcome_is_api_error(const struct fetch_reply *reply)
{
	struct api_error error;

	return parse_error(reply->body, &error) && error.is_there;
}

bool
outcome_is_removed(const struct fetch_reply *reply)
{
	struct api_error error;

	return outcome_of(reply) == OUTCOME_STOP &&
	    parse_error(reply->body, &error) &&
	    span_is(error.reason, "run_removed");
}

/* The strings of an array, each behind a blank; text that stands already is
 * not said twice. */
static void
add_errors(struct buf *out, struct span errors)
{
	struct jsn j = jsn_of(errors);
	struct buf one = { 0 };
	struct span raw;

	if (errors.n == 0 || errors.p[0] != '[')
		return;
	(void)jsn_enter(&j, '[');
	while (jsn_element_text(&j, &raw)) {
		buf_reset(&one);
		jsn_unescape(&one, raw);
		if (one.n == 0 || (out->p != NULL &&
		    memmem(out->p, out->n, one.p, one.n) != NULL))
			continue;
		buf_text(out, out->n > 0 ? "; " : "");
		buf_span(out, (struct span){ one.p, one.n });
	}
	buf_release(&one);
}

/* An object of key -> [text]: "; key: a, b". */
static void
add_fields(struct buf *out, struct span fields)
{
	struct jsn j = jsn_of(fields);
	struct span key, raw;
	const char *between;

	if (fields.n == 0 || fields.p[0] != '{')
		return;
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		buf_text(out, out->n > 0 ? "; " : "");
		jsn_unescape(out, key);
		between = ": ";
		if (jsn_peek(&j) != '[') {
			(void)jsn_skip(&j);
			continue;
		}
		(void)jsn_enter(&j, '[');
		while (jsn_element_text(&j, &raw)) {
			buf_text(out, between);
			jsn_unescape(out, raw);
			between = ", ";
		}
	}
}

static void
describe(const struct fetch_reply *reply, const char *url, struct buf *out)
{
	struct buf text = { 0 };
	struct api_error error;

	if (reply->status == 0) {
		buf_printf(out, "%s: %s", url, reply->reason);
		return;
	}
	if (is_success(reply->status) && !outcome_is_of_api(reply)) {
		buf_printf(out, "%s: the answer, %d %s of type %s, is not the "
		    "API's: the page of a portal or a proxy?", url,
		    reply->status, reply->reason, reply->type != NULL
		    ? reply->type : "unknown");
		return;
	}
	if (!parse_error(reply->body, &error)) {
		if (reply->status == 401)
			buf_text(out, "failed to authenticate with k6 Cloud");
		else if (reply->status == 403)
			buf_text(out,
			    "not allowed to upload result to k6 Cloud");
		else
			buf_printf(out, "unexpected HTTP error from %s: "
			    "%d %s", url, reply->status, reply->reason);
		return;
	}
	jsn_unescape(&text, error.message);
	add_errors(&text, error.errors);
	add_fields(&text, error.details);
	if (!span_equal(error.details, error.field_errors))
		add_fields(&text, error.field_errors);
	if (error.code != 0)
		buf_printf(out, "(%d/E%.0f) ", reply->status, error.code);
	else
		buf_printf(out, "(%d) ", reply->status);
	buf_span(out, (struct span){ text.p, text.n });
	buf_release(&text);
}

void
outcome_describe(const struct fetch_reply *reply, const char *url,
    struct buf *out)
{
	char *proxy;

	describe(reply, url, out);
	if (reply->proxy == NULL)
		return;
	proxy = url_mask(reply->proxy);
	buf_printf(out, " (through the proxy %s)", proxy);
	free(proxy);
}
