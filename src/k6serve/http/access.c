/* SPDX-License-Identifier: MIT */
/* Checks the tokens of requests, and slows down guesses. */
#include "k6serve/http/access.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/units.h"
#include "k6serve/http/digest.h"
#include "k6serve/http/token.h"
#include "k6serve/store/store_load_test.h"

enum { GUESSES_MAX = 10 };	/* wrong tokens of an address in a second */

/* Note a wrong token. Are there too many from that address? Good ones are
 * never refused: behind one address may be many. */
static bool
is_guessing(struct server *server, const unsigned char address[16])
{
	struct guesses *g = &server->guesses[hash_bytes(0, address, 16) %
	    GUESSERS];
	int64_t second = now_monotonic_ns() / NS_PER_S;

	if (g->second != second || memcmp(g->address, address, 16) != 0) {
		memcpy(g->address, address, 16);
		g->second = second;
		g->n = 0;
	}
	return ++g->n > GUESSES_MAX;
}

/* k6 sends "Token X"; "Bearer X" is what others send. A browser that reads
 * can only send a password. */
static void
token_of(const struct httpd_request *r, enum access access, struct buf *out)
{
	const char *text = httpd_header(r, "Authorization");

	if (text == NULL)
		return;
	if (strncasecmp(text, "Token ", 6) == 0)
		buf_text(out, text + 6);
	else if (strncasecmp(text, "Bearer ", 7) == 0)
		buf_text(out, text + 7);
	else if (access == ACCESS_READ)
		httpd_password(r, out);
}

static void
refuse(struct server *server, const struct httpd_request *r, enum access access,
    bool has_token, struct httpd_reply *reply)
{
	if (has_token && is_guessing(server, r->address)) {
		reply_error(reply, 429, 0, "too many wrong tokens");
		reply_field(reply, "Retry-After", "1");
		return;
	}
	if (has_token)
		reply_error(reply, 401, ERROR_BAD_TOKEN,
		    "the token is not valid");
	else
		reply_error(reply, 401, ERROR_TOKEN_NEEDED,
		    "a token is needed");
	if (access == ACCESS_READ)
		reply_field(reply, "WWW-Authenticate",
		    "Basic realm=\"k6serve: the token as password\"");
}

/* Is it the token that a run was started with? As token_lookup. */
static int
lookup_of_run(struct store *s, struct span token, int64_t run, char **owner,
    struct why *why)
{
	struct store_started started = { .run = run };
	unsigned char hash[DIGEST_BYTES];
	struct buf text = { 0 };
	int found;

	if (digest_sha256(token, hash, why) < 0)
		return -1;
	found = store_started_get(s, store_everybody, &started, &text, why);
	if (found > 0)
		found = digest_equal(hash, started.hash);
	if (found > 0)
		*owner = xstrndup(text.n > 0 ? text.p : "", text.n);
	buf_release(&text);
	return found;
}

int
access_check(struct server *server, struct httpd_request *r,
    const struct route *route, int64_t run, struct httpd_reply *reply)
{
	enum access access = route->access;
	struct buf token = { .max = 4096 };
	char *owner = NULL;
	int n = 0, is_known;
	struct why why;

	if (access == ACCESS_OPEN)
		return 0;
	token_of(r, access, &token);
	/* None is needed, whatever tokens exist: the database may be away. */
	if (route->needs_no_store && server->config->is_loopback &&
	    token.n == 0)
		return 0;
	is_known = token_lookup(server->store, buf_whole(&token), &n, &owner,
	    &why);
	if (is_known == 0 && route->takes_run_token && token.n != 0)
		is_known = lookup_of_run(server->store, buf_whole(&token), run,
		    &owner, &why);
	if (is_known == 0 && server->config->is_loopback &&
	    (n == 0 || (access == ACCESS_READ && token.n == 0)))
		is_known = 1;	/* none is needed */
	r->note = owner;
	if (is_known < 0)
		reply_store(reply, store_last_failure(server->store), &why);
	else if (is_known == 0)
		refuse(server, r, access, token.n != 0, reply);
	buf_release(&token);
	return is_known == 1 ? 0 : -1;
}
