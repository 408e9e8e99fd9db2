/* SPDX-License-Identifier: MIT */
/* Answers logins, and requests for services that need a cloud. */
#include "k6serve/http/session.h"

#include <string.h>

#include "k6serve/http/token.h"

/* Set what member `name` of the body's object says, unescaped. -1: the reply
 * says that the body is no JSON. */
static int
read_member(struct call *c, const char *name, struct buf *value)
{
	struct jsn j = jsn_of(c->r->body);
	struct span key, raw;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (!span_is(key, name) || jsn_peek(&j) != '"')
			(void)jsn_skip(&j);
		else if (jsn_text(&j, &raw))
			jsn_unescape(value, raw);
	if (jsn_done(&j))
		return 0;
	reply_error(c->reply, 400, 0, "%s (byte %zu)", j.error,
	    jsn_column(&j));
	return -1;
}

/* Is it a token? 1, 0, or -1: the reply says why that is not known. */
static int
look_up(struct call *c, const struct buf *token, int *how_many)
{
	struct why why;
	int is_known = token_lookup(c->store, buf_whole(token), how_many, NULL,
	    &why);

	if (is_known < 0)
		call_fail(c, &why);
	return is_known;
}

static void
reply_validity(struct call *c, bool is_valid, const char *message)
{
	struct jsn_out o = reply_json(c->reply, 200);

	jsn_open(&o, '{');
	jsn_key(&o, "is_valid");
	jsn_put_bool(&o, is_valid);
	jsn_member_text(&o, "message", span_of(message));
	jsn_member_text(&o, "token-info", SPAN(""));
	jsn_close(&o, '}');
}

static void
validate(struct call *c)
{
	struct buf token = { .max = 4096 };
	int n = 0, is_known;

	if (read_member(c, "token", &token) == 0) {
		is_known = look_up(c, &token, &n);
		if (is_known >= 0 && n == 0)
			reply_validity(c, true, "this server has no tokens "
			    "and needs none");
		else if (is_known >= 0)
			reply_validity(c, is_known == 1, is_known == 1 ?
			    "the token is valid" : "the token is not valid");
	}
	buf_release(&token);
}

static void
reply_token(struct call *c, struct span token)
{
	struct jsn_out o = reply_json(c->reply, 200);

	jsn_open(&o, '{');
	jsn_member_text(&o, "token", token);
	jsn_close(&o, '}');
}

/* There are no accounts: the password is a token, which k6 then stores. k6
 * leaves the line end at a password that it read from a pipe. */
static void
login(struct call *c)
{
	struct buf token = { .max = 4096 };
	int n = 0, is_known;

	if (read_member(c, "password", &token) == 0) {
		while (token.n > 0 && strchr("\r\n", token.p[token.n - 1]) !=
		    NULL)
			token.n--;
		is_known = look_up(c, &token, &n);
		if (is_known == 1)
			reply_token(c, buf_whole(&token));
		else if (is_known == 0)
			reply_error(c->reply, n == 0 ? 400 : 401, 0, n == 0 ?
			    "this server has no tokens and needs no login" :
			    "there are no accounts here: the password must "
			    "be a token (k6serve token add NAME)");
	}
	buf_release(&token);
}

static void
run_in_cloud(struct call *c)
{
	reply_error(c->reply, 400, 0, "this server runs no tests: use "
	    "k6 run --out cloud SCRIPT");
}

const struct route session_routes[] = {
	{ "POST", "/v1/validate-token", ACCESS_OPEN, .answer = validate },
	{ "POST", "/v1/login", ACCESS_OPEN, .answer = login },
	{ "POST", "/v1/validate-options", ACCESS_OPEN,
	    .answer = run_in_cloud },
	{ "POST", "/v1/archive-upload", ACCESS_OPEN, .answer = run_in_cloud,
	    .takes_any_type = true },	/* a form with a file */
	{ 0 },
};
