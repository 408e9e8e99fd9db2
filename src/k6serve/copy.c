/* SPDX-License-Identifier: MIT */
/* The command copy: copies run after run, and counts them. */
#include "k6serve/copy.h"

#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "k6serve/store/store_copy.h"

struct books {
	bool takes_open;
	int64_t runs, samples, tokens, there, open, differ;
};

enum { DIGITS = 40 };

/* Digits in groups of three: 34 567 890. */
static const char *
grouped(char text[DIGITS], int64_t number)
{
	char digits[24];
	size_t i, n, at = 0;

	(void)snprintf(digits, sizeof(digits), "%lld", (long long)number);
	n = strlen(digits);
	for (i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			text[at++] = ' ';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

static void
token_copied(void *ctx)
{
	struct books *b = ctx;

	b->tokens++;
}

static void
token_differs(void *ctx, const char *token)
{
	struct books *b = ctx;

	warnf("token %s: the target has another one of that name: not copied",
	    token);
	b->differ++;
}

/* False: the copy cannot go on. */
static bool
copy_run(struct store *from, struct store *to, int64_t run, struct books *b)
{
	int64_t samples;
	struct why why;

	switch (store_copy_run(from, to, run, b->takes_open, &samples, &why)) {
	case STORE_COPY_DONE:
		b->runs++;
		b->samples += samples;
		return true;
	case STORE_COPY_WAS_THERE:
		b->there++;
		return true;
	case STORE_COPY_GONE:
		return true;
	case STORE_COPY_OPEN:
		warnf("run %lld: is not over: not copied", (long long)run);
		b->open++;
		return true;
	case STORE_COPY_DIFFERS:
		warnf("run %lld: %s: not copied", (long long)run, why.text);
		b->differ++;
		return true;
	default:
		warnf("run %lld: %s", (long long)run, why.text);
		return false;
	}
}

/* 0, or -1 after a message. */
static int
copy_runs(struct store *from, struct store *to, struct books *b)
{
	int64_t run = 0;
	struct why why;

	while ((run = store_copy_next(from, run, &why)) > 0)
		if (!copy_run(from, to, run, b))
			return -1;
	if (run == 0 && store_copy_end(from, to, &why) == 0)
		return 0;
	warnf("%s", why.text);
	return -1;
}

static void
print_books(const struct books *b, bool is_whole)
{
	char runs[DIGITS], samples[DIGITS], there[DIGITS];
	char tokens[64] = "", were_there[64] = "", open[64] = "";

	if (b->tokens > 0)
		(void)snprintf(tokens, sizeof(tokens), ", %lld token%s",
		    (long long)b->tokens, b->tokens == 1 ? "" : "s");

	if (b->there > 0)
		(void)snprintf(were_there, sizeof(were_there),
		    "; %s were there already", grouped(there, b->there));
	if (b->open > 0)
		(void)snprintf(open, sizeof(open), "; %lld not over",
		    (long long)b->open);
	warnf("copied %s run%s, %s samples%s%s%s; %lld differ%s",
	    grouped(runs, b->runs), b->runs == 1 ? "" : "s",
	    grouped(samples, b->samples), tokens, were_there, open,
	    (long long)b->differ, is_whole ? "" :
	    "; the rest was not tried: run the same command again");
}

int
copy_command(struct store *from, struct store *to, bool takes_open)
{
	struct books b = { .takes_open = takes_open };
	const struct store_copy_told told = { token_copied, token_differs,
	    &b };
	struct why why;
	int status = -1;

	if (store_copy_begin(from, to, &why) == 0 &&
	    store_copy_tokens(from, to, &told, &why) == 0 &&
	    store_copy_load_tests(from, to, &why) == 0)
		status = copy_runs(from, to, &b);
	else
		warnf("%s", why.text);
	print_books(&b, status == 0);
	return status == 0 && b.differ == 0 && b.open == 0 ? EXIT_DONE :
	    EXIT_UNDELIVERED;
}
