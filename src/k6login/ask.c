/* SPDX-License-Identifier: MIT */
/* Questions to the server about a token: one request, one answer. */
#include "k6login/ask.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/buf.h"
#include "data/jsn.h"
#include "io/fetch.h"
#include "io/url.h"

#define STACK_DOMAIN ".grafana.net"

/* What came back, and whether it has. */
struct answer {
	bool is_done, is_good;
	bool is_silent;		/* the server said nothing of the token */
	struct buf body, reason;
};

static void
on_reply(void *ctx, const struct fetch_reply *reply)
{
	struct answer *a = ctx;

	a->is_done = true;
	a->is_good = reply->status >= 200 && reply->status <= 299;
	buf_span(&a->body, reply->body);
	a->is_silent = reply->status == 0 || reply->status >= 500;
	if (a->is_silent)
		buf_printf(&a->reason, "%s", reply->reason);
	else if (reply->status == 421)
		buf_printf(&a->reason, "the server says 421: it does not go "
		    "by the name in this URL (k6serve --url gives it one)");
	else if (!a->is_good)
		buf_printf(&a->reason, "the server says %d %s", reply->status,
		    reply->reason);
}

static void
answer_release(struct answer *a)
{
	buf_release(&a->body);
	buf_release(&a->reason);
}

/* Make the request and wait for its answer. -1: it could not be made. */
static int
ask(const struct ask *a, const char *host, const struct fetch_request *r,
    struct answer *answer, struct why *why)
{
	struct fetch_options o = { .user_agent = "k6login/" K6PIPE_VERSION,
	    .ca_file = a->ca_file,
	    .timeout_ns = settings_int(a->settings, SET_TIMEOUT) };
	struct fetcher *f;
	int status;

	if (url_check_server(host, true, a->allows_http, why) < 0 ||
	    (f = fetcher_new(&o, why)) == NULL)
		return -1;
	status = fetch_start(f, r, on_reply, answer, why);
	while (status == 0 && !answer->is_done)
		(void)fetcher_wait(f, -1, 1000);
	fetcher_free(f);
	return status;
}

/* -1: why says that no word of the token came from the server. */
static int
check_heard(const struct answer *answer, const char *host, struct why *why)
{
	return answer->is_silent ? why_set(why, "cannot ask %s whether the "
	    "token is valid: %s", host, answer->reason.p) : 0;
}

/* Members is_valid and message of the older API. */
static void
read_validity(struct answer *answer)
{
	struct jsn j = jsn_of(buf_whole(&answer->body));
	struct span key, raw;

	answer->is_good = false;
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (span_is(key, "is_valid") && jsn_value(&j, &raw))
			answer->is_good = span_is(raw, "true");
		else if (span_is(key, "message") && jsn_peek(&j) == '"' &&
		    jsn_text(&j, &raw))
			jsn_unescape(&answer->reason, raw);
		else
			(void)jsn_skip(&j);
}

int
ask_token(const struct ask *a, struct why *why)
{
	static const char *const headers[] = {
	    "Content-Type: application/json", NULL };
	const char *host = settings_text(a->settings, SET_HOST);
	char *url = xasprintf("%s/v1/validate-token", host);
	struct buf body = { 0 };
	struct jsn_out out = { .to = &body };
	struct fetch_request request = { .url = url, .headers = headers,
	    .token = a->token, .is_post = true };
	struct answer answer = { 0 };
	int status;

	jsn_open(&out, '{');
	jsn_member_text(&out, "token", span_of(a->token));
	jsn_close(&out, '}');
	request.body = buf_whole(&body);
	status = ask(a, host, &request, &answer, why);
	if (status == 0)
		status = check_heard(&answer, host, why);
	if (status == 0 && answer.is_good)
		read_validity(&answer);
	if (status == 0 && !answer.is_good)
		status = why_set(why, "your API token is invalid - %s",
		    answer.reason.n > 0 ? answer.reason.p
		    : "no reason given");
	explicit_bzero(body.p, body.cap);
	buf_release(&body);
	answer_release(&answer);
	free(url);
	return status;
}

/* Members of the newer API. */
static void
read_numbers(const struct answer *answer, int64_t *stack_id,
    int64_t *project_id)
{
	struct jsn j = jsn_of(buf_whole(&answer->body));
	struct span key;
	double number;

	*stack_id = *project_id = 0;
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		bool is_stack = span_is(key, "stack_id");

		if ((!is_stack && !span_is(key, "default_project_id")) ||
		    !isdigit((unsigned char)jsn_peek(&j)))
			(void)jsn_skip(&j);
		else if (jsn_number(&j, &number) && number <= INT32_MAX)
			*(is_stack ? stack_id : project_id) =
			    (int64_t)number;
	}
}

int
ask_stack(const struct ask *a, const char *stack_url, int64_t *stack_id,
    int64_t *project_id, struct why *why)
{
	const char *host = settings_text(a->settings, SET_HOST_V6);
	char *url = xasprintf("%s/cloud/v6/auth", host);
	char *bearer = xasprintf("Authorization: Bearer %s", a->token);
	char *stack = xasprintf("X-Stack-Url: %s", stack_url);
	const char *const headers[] = { bearer, stack, NULL };
	struct fetch_request request = { .url = url, .headers = headers };
	struct answer answer = { 0 };
	int status = ask(a, host, &request, &answer, why);

	if (status == 0)
		status = check_heard(&answer, host, why);
	if (status == 0 && answer.is_good)
		read_numbers(&answer, stack_id, project_id);
	else if (status == 0)
		status = why_set(why, "authentication failed: token or stack "
		    "might not be valid: %s", answer.reason.p);
	explicit_bzero(bearer, strlen(bearer));
	answer_release(&answer);
	free(bearer);
	free(stack);
	free(url);
	return status;
}

/* A host, or the name in front of the vendor's domain. */
static bool
is_name(const char *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    strchr("-._:[]", text[i]) == NULL)
			return false;
	return n > 0;
}

/* k6's rule (PROTOCOL 6.4): of a URL scheme and host count, a name is one of
 * the vendor's. */
char *
stack_url_of(const char *text, struct why *why)
{
	const size_t domain = sizeof(STACK_DOMAIN) - 1;
	const char *host = strstr(text, "://");
	size_t n;

	if (host != NULL) {
		host += 3;
		n = strcspn(host, "/?#");
		if (is_name(host, n) && (strncmp(text, "http:", 5) == 0 ||
		    strncmp(text, "https:", 6) == 0))
			return xstrndup(text, (size_t)(host - text) + n);
	} else {
		n = strlen(text);
		if (n > domain && strcmp(text + n - domain, STACK_DOMAIN) == 0)
			n -= domain;
		if (is_name(text, n))
			return xasprintf("https://%.*s" STACK_DOMAIN, (int)n,
			    text);
	}
	(void)why_set(why, "--stack %s: neither a URL nor a stack's name",
	    text);
	return NULL;
}
