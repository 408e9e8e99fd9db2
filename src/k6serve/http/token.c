/* SPDX-License-Identifier: MIT */
/* Looks up tokens, and runs the subcommands that add and remove them. */
#include "k6serve/http/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/random.h"
#include "base/units.h"
#include "k6serve/http/digest.h"
#include "k6serve/store/store_token.h"

enum { SECRET_BYTES = 16 };	/* random ones of a new token */

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

/* A token that was not shown cannot be shown again, but if it is the first one,
 * each write needs one from now on. */
static int
show_token(struct store *s, const char *name, const char *secret,
    struct why *why)
{
	char line[2 * SECRET_BYTES + 2];
	struct why later;
	int error;

	(void)snprintf(line, sizeof(line), "%s\n", secret);
	error = put_stdout(line);
	explicit_bzero(line, sizeof(line));
	if (error == 0)
		return 0;
	if (store_token_remove(s, name, &later) < 0)
		return why_set(why, "stdout: %s; nobody has seen the token; "
		    "remove it: %s", strerror(error), later.text);
	return why_set(why, "stdout: %s; the token was removed",
	    strerror(error));
}

static int
add_token(struct store *s, const char *name, const char *owner, struct why *why)
{
	unsigned char hash[DIGEST_BYTES];
	struct store_token t = { name, owner, hash, now_unix_ns() };
	char secret[2 * SECRET_BYTES + 1];
	int status;

	if (check_name("name", name, why) < 0 ||
	    check_name("owner", owner, why) < 0)
		return -1;
	random_hex(secret, SECRET_BYTES);
	if (digest_sha256(span_of(secret), hash, why) < 0 ||
	    store_token_add(s, &t, why) < 0)
		return -1;
	status = show_token(s, name, secret, why);
	explicit_bzero(secret, sizeof(secret));
	return status;
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
		status = add_token(s, args[1], args[n - 1], &why);
	else
		status = store_token_remove(s, args[1], &why);
	if (status < 0)
		warnf("token %s: %s", args[n > 1], why.text);
	/* That nothing more can be written was told then. */
	return status < 0 ? EXIT_FAILED : close_stdout(EXIT_DONE);
}
