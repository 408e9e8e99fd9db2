/* SPDX-License-Identifier: MIT */
#include "base/die.c"

#include "child.h"
#include "tap.h"

static char got[8192];

static const char *message;	/* what the child says */

static void
warn_it(void)
{
	warnf("%s", message);
}

static void
say_it(void)
{
	say("%s", message);
}

/* The message as warnf writes it, its prefix and newline cut off. */
static const char *
warned(const char *text)
{
	size_t n = strlen(program_invocation_short_name) + 2;

	message = text;
	CHECK(child(warn_it, got, sizeof(got)) == 0);
	CHECK(strncmp(got, program_invocation_short_name, n - 2) == 0);
	CHECK(strlen(got) > n && got[strlen(got) - 1] == '\n');
	got[strlen(got) - 1] = '\0';
	return got + n;
}

static void
prefix(void)
{
	CHECK_TEXT(warned("a.ndjson:17: not an object"),
	    "a.ndjson:17: not an object");
}

static void
escapes(void)
{
	static const struct {
		const char *raw, *shown;
	} cases[] = {
		{ "\033]0;pwned\007", "\\x1b]0;pwned\\x07" },
		{ "\033[2J", "\\x1b[2J" },
		{ "a\r\nforged: line\n", "a\\x0d\\x0aforged: line\\x0a" },
		{ "tab\tdel\177", "tab\\x09del\\x7f" },
		{ "\xc2\x9b" "31m", "\\x9b31m" },	/* CSI as UTF-8 */
		{ "\x9b" "31m", "\\x9b31m" },		/* and as a byte */
		{ "\xe2\x80\xae" "evil", "\\u{202e}evil" },
		{ "\xe2\x81\xa6" "evil", "\\u{2066}evil" },
		{ "\xe2\x80\xa8", "\\u{2028}" },
		{ "\xe2\x80\x8f", "\\u{200f}" },
		{ "\xc0\xaf", "\\xc0\\xaf" },		/* overlong */
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
		{ "cut \xe2\x82", "cut \\xe2\\x82" },
		{ "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80 100%s",
		    "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80 100%s" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_TEXT(warned(cases[i].raw), cases[i].shown);
}

static void
escapes_elsewhere(void)
{
	char text[64];
	FILE *out = fmemopen(text, sizeof(text), "w");

	print_escaped(out, "a\nb\033[2J");
	(void)fclose(out);
	CHECK_TEXT(text, "a\\x0ab\\x1b[2J");
}

static void
keeps_lines(void)
{
	message = "one\n\ttwo\033[m\n";
	CHECK(child(say_it, got, sizeof(got)) == 0);
	CHECK_TEXT(got, "one\n\ttwo\\x1b[m\n");
}

static void
die_75(void)
{
	dief(EXIT_UNDELIVERED, "kept %d", 3);
}

static void
exit_status(void)
{
	CHECK(child(die_75, got, sizeof(got)) == 75);
	CHECK(strstr(got, ": kept 3\n") != NULL);
}

static int status_before;

static void
close_it(void)
{
	printf("data");
	exit(close_stdout(status_before));
}

static void
close_full(void)
{
	if (freopen("/dev/full", "w", stdout) == NULL)
		exit(111);
	close_it();
}

static void
close_closed(void)
{
	(void)close(STDOUT_FILENO);
	exit(close_stdout(EXIT_DONE));
}

static void
closing(void)
{
	status_before = EXIT_DONE;
	CHECK(child(close_it, got, sizeof(got)) == EXIT_DONE);
	CHECK_TEXT(got, "data");
	CHECK(child(close_full, got, sizeof(got)) == EXIT_FAILED);
	CHECK(strstr(got, "stdout: No space left on device") != NULL);
	status_before = EXIT_USAGE;
	CHECK(child(close_it, got, sizeof(got)) == EXIT_USAGE);
	CHECK(child(close_full, got, sizeof(got)) == EXIT_USAGE);
	CHECK(child(close_closed, got, sizeof(got)) == EXIT_DONE);
}

static void
open_after_init(void)
{
	(void)close(STDIN_FILENO);
	(void)close(STDERR_FILENO);
	die_init();
	exit(open("/dev/null", O_RDONLY));
}

static void
descriptors(void)
{
	CHECK(child(open_after_init, got, sizeof(got)) > STDERR_FILENO);
}

int
main(void)
{
	test("a message is one line behind the tool's name", prefix);
	test("bytes that could steer a terminal are shown escaped", escapes);
	test("so are they in other output", escapes_elsewhere);
	test("say keeps newlines and tabs, and nothing else", keeps_lines);
	test("dief exits with its status", exit_status);
	test("a full disk turns success into failure", closing);
	test("no file lands on descriptors 0 to 2", descriptors);
	return tap_end();
}
