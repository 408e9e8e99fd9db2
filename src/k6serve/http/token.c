/* SPDX-License-Identifier: MIT */
#include "k6serve/http/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/map.h"
#include "base/random.h"
#include "base/units.h"
#include "k6serve/http/digest.h"
#include "k6serve/store/store_load_test.h"
#include "k6serve/store/store_token.h"

enum {
	SECRET_BYTES = 16,	/* random ones of a new token */
	GUESSES_MAX = 10,	/* wrong tokens of an address in a second */
};

_Static_assert(STORE_DIGEST == DIGEST_BYTES, "a token's hash is SHA-256");

struct search {
	unsigned char hash[DIGEST_BYTES];
	int is_found, n;
	char *owner;
};

/* All are compared, so that the time tells nothing. */
static int
compare_token(void *ctx, const struct store_token *t)
{
	struct search *search = ctx;

	search->n++;
	if (digest_equal(search->hash, t->hash)) {
		search->is_found = 1;
		search->owner = xstrdup(t->owner);
	}
	return 0;
}

int
token_lookup(struct store *s, struct span token, int *how_many,
    char **owner, struct why *why)
{
	struct search search = { .n = 0 };

	if (digest_sha256(token, search.hash, why) < 0 ||
	    store_tokens(s, compare_token, &search, why) < 0) {
		free(search.owner);
		return -1;
	}
	*how_many = search.n;
	if (owner != NULL)
		*owner = search.owner;
	else
		free(search.owner);
	return search.is_found;
}

/* Note a wrong token. Are there too many from that address? Good ones are
 * never refused: behind one address may be many. */
static bool
is_guessing(struct app *app, const unsigned char address[16])
{
	struct guesses *g = &app->guesses[hash_bytes(0, address, 16) %
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
refuse(struct app *app, const struct httpd_request *r, enum access access,
    bool has_token, struct httpd_reply *reply)
{
	if (has_token && is_guessing(app, r->address)) {
		reply_error(reply, 429, 0, "too many wrong tokens");
		reply_field(reply, "Retry-After", "1");
		return;
	}
	reply_error(reply, 401, 0, has_token ? "the token is not valid"
	    : "a token is needed");
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
token_check(struct app *app, struct httpd_request *r,
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
	is_known = token_lookup(app->store, buf_whole(&token), &n, &owner,
	    &why);
	if (is_known == 0 && route->takes_run_token && token.n != 0)
		is_known = lookup_of_run(app->store, buf_whole(&token), run,
		    &owner, &why);
	if (is_known == 0 && app->is_loopback &&
	    (n == 0 || (access == ACCESS_READ && token.n == 0)))
		is_known = 1;	/* none is needed */
	r->note = owner;
	if (is_known < 0)
		reply_error(reply, 500, 0, "%s", why.text);
	else if (is_known == 0)
		refuse(app, r, access, token.n != 0, reply);
	buf_release(&token);
	return is_known == 1 ? 0 : -1;
}

static int
print_token(void *ctx, const struct store_token *t)
{
	char created[TIME_TEXT];

	(void)ctx;
	(void)time_print(created, t->created_ns / NS_PER_S * NS_PER_S);
	printf("%s\t%s\t%s\n", t->name, created, t->owner);
	return 0;
}

static int
check_name(const char *what, const char *name, struct why *why)
{
	if (name[0] == '\0')
		return why_set(why, "the %s is empty", what);
	if (strpbrk(name, "\t\n\r") != NULL)
		return why_set(why, "the %s has a tab or a line end", what);
	return 0;
}

static int
add(struct store *s, const char *name, const char *owner, struct why *why)
{
	unsigned char hash[DIGEST_BYTES];
	struct store_token t = { name, owner, hash, now_unix_ns() };
	char secret[2 * SECRET_BYTES + 1];

	if (check_name("name", name, why) < 0 ||
	    check_name("owner", owner, why) < 0)
		return -1;
	random_hex(secret, SECRET_BYTES);
	if (digest_sha256(span_of(secret), hash, why) < 0 ||
	    store_token_add(s, &t, why) < 0)
		return -1;
	puts(secret);
	explicit_bzero(secret, sizeof(secret));
	return 0;
}

bool
token_is_command(char *const *args, int n)
{
	return (n == 1 && strcmp(args[0], "list") == 0) ||
	    (n == 2 && strcmp(args[0], "remove") == 0) ||
	    ((n == 2 || n == 3) && strcmp(args[0], "add") == 0);
}

int
token_command(struct store *s, char *const *args, int n)
{
	struct why why;
	int status;

	if (n == 1)
		status = store_tokens(s, print_token, NULL, &why);
	else if (strcmp(args[0], "add") == 0)
		status = add(s, args[1], args[n - 1], &why);
	else
		status = store_token_remove(s, args[1], &why);
	if (status < 0)
		warnf("token %s: %s", args[n > 1], why.text);
	return close_stdout(status < 0 ? EXIT_FAILED : EXIT_DONE);
}
