/* SPDX-License-Identifier: MIT */
#include "base/opt.c"

#include "child.h"
#include "tap.h"

struct target {
	bool quiet, all;
	const char *text;
	int64_t number, pause_ns;
	struct opt_list files;
	int called;
};

static int
set_called(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	if (strcmp(value, "bad") == 0)
		return why_set(why, "\"%s\" is bad", value);
	*(int *)member += o->id;
	return 0;
}

static const struct opt table[] = {
	{ 'q', "quiet", NULL, "say less", OPT_FLAG,
	    offsetof(struct target, quiet), NULL, 0 },
	{ 'a', "all", NULL, "take all", OPT_FLAG,
	    offsetof(struct target, all), NULL, 0 },
	{ 't', "text", "TEXT", "some text", OPT_TEXT,
	    offsetof(struct target, text), NULL, 0 },
	{ 'n', "number", "N", "a number", OPT_INT,
	    offsetof(struct target, number), NULL, 0 },
	{ 0, "pause", "DURATION", "a pause", OPT_DURATION,
	    offsetof(struct target, pause_ns), NULL, 0 },
	{ 'f', "file", "FILE", "one more file", OPT_LIST,
	    offsetof(struct target, files), NULL, 0 },
	{ 0 },
};

static const struct opt second_table[] = {
	{ 0, "call", "X", "adds 5", OPT_CALL,
	    offsetof(struct target, called), set_called, 5 },
	{ 0, "a-name-so-long-that-help-breaks", "DURATION", "breaks",
	    OPT_CALL, offsetof(struct target, called), set_called, 1 },
	{ 0 },
};

static const struct opt_tool tool = {
	.synopsis = "[options] [FILE...]", .about = "Test the options.",
	.examples = "  one | two\n", .tables = { table, second_table },
};

static struct target t;
static char *args[16];
static int n_args, first;
static char got[16384];

/* Arguments, split at blanks. */
static void
given(const char *line)
{
	static char text[256];
	char *rest = text, *word;

	(void)snprintf(text, sizeof(text), "%s", line);
	args[0] = program_invocation_short_name;
	for (n_args = 1; (word = strsep(&rest, " ")) != NULL; n_args++)
		args[n_args] = word;
	args[n_args] = NULL;
	opt_list_release(&t.files);
	t = (struct target){ 0 };
}

static int
parse(const char *line)
{
	given(line);
	return opt_parse(&tool, &t, n_args, args, &first);
}

static void
kinds(void)
{
	CHECK(parse("-q --text hello -n 17 --pause 1m30s --call x") ==
	    OPT_CONTINUE);
	CHECK(t.quiet && !t.all);
	CHECK_TEXT(t.text, "hello");
	CHECK(t.number == 17 && t.pause_ns == 90 * NS_PER_S);
	CHECK(t.called == 5 && first == n_args);
}

static void
clusters(void)
{
	CHECK(parse("-qatx") == OPT_CONTINUE);
	CHECK(t.quiet && t.all);
	CHECK_TEXT(t.text, "x");
	CHECK(parse("-qan 3") == OPT_CONTINUE);
	CHECK(t.quiet && t.all && t.number == 3);
}

static void
equals(void)
{
	CHECK(parse("--text=a=b --number=0 --pause=500ms") == OPT_CONTINUE);
	CHECK_TEXT(t.text, "a=b");
	CHECK(t.number == 0 && t.pause_ns == 500 * NS_PER_MS);
	CHECK(parse("--text=") == OPT_CONTINUE);
	CHECK_TEXT(t.text, "");
}

static void
lists(void)
{
	CHECK(parse("-f one --file two -fthree") == OPT_CONTINUE);
	CHECK(t.files.n == 3);
	CHECK_TEXT(t.files.items[0], "one");
	CHECK_TEXT(t.files.items[2], "three");
	opt_list_release(&t.files);
	CHECK(t.files.n == 0);
	CHECK(parse("-n 1 -n 2") == OPT_CONTINUE && t.number == 2);
}

static void
operands(void)
{
	CHECK(parse("a -q b - c") == OPT_CONTINUE);
	CHECK(t.quiet && n_args - first == 4);
	CHECK_TEXT(args[first], "a");
	CHECK_TEXT(args[first + 2], "-");
	CHECK(parse("-q -- -a") == OPT_CONTINUE);
	CHECK(!t.all && n_args - first == 1);
	CHECK_TEXT(args[first], "-a");
}

static const char *child_line;

static void
parse_in_child(void)
{
	int status;

	given(child_line);
	status = opt_parse(&tool, &t, n_args, args, &first);
	exit(status == OPT_CONTINUE ? 111 : status);
}

static int
run(const char *line)
{
	child_line = line;
	return child(parse_in_child, got, sizeof(got));
}

static void
refusals(void)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
		{ "--nope", "--nope: unknown or ambiguous option" },
		{ "-x", "-x: unknown option" },
		{ "-host x", "-host: unknown option" },
		{ "-Version", "-Version: unknown option" },
		{ "-qx", "-x: unknown option" },
		{ "-qxa", "-x: unknown option" },
		{ "--quiet -xa", "-x: unknown option" },
		{ "--quiet -x", "-x: unknown option" },
		{ "--text", "--text: needs a value" },
		{ "-t", "-t: needs a value" },
		{ "--quiet=yes", "--quiet: takes no value" },
		{ "-n x", "--number: not a whole number: \"x\"" },
		{ "-n -1", "--number: not a whole number: \"-1\"" },
		{ "-n 1.5", "--number: not a whole number" },
		{ "--pause 1x", "--pause: not a duration: \"1x\"" },
		{ "--pause -1s", "--pause: not a duration" },
		{ "--call bad", "--call: \"bad\" is bad" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(run(rows[i].line) == EXIT_USAGE);
		if (strstr(got, rows[i].message) == NULL)
			CHECK_TEXT(got, rows[i].message);
		CHECK(strstr(got, "--help") != NULL);
	}
}

static void
help(void)
{
	CHECK(run("--help") == EXIT_DONE);
	CHECK(strstr(got, "usage: ") == got);
	CHECK(strstr(got, "Test the options.") != NULL);
	CHECK(strstr(got, "  -n, --number N ") != NULL);
	CHECK(strstr(got, "      --pause DURATION ") != NULL);
	CHECK(strstr(got, "--a-name-so-long-that-help-breaks DURATION\n") !=
	    NULL);
	CHECK(strstr(got, "--version") != NULL);
	CHECK(strstr(got, "one | two\n") != NULL);
	CHECK(run("-q -h --nope") == EXIT_DONE);
}

static void
version(void)
{
	CHECK(run("--version") == EXIT_DONE);
	CHECK(strstr(got, " " K6PIPE_VERSION "\n") != NULL);
	CHECK(run("-V") == EXIT_DONE);
}

static void
completion(void)
{
	CHECK(run("--completion") == EXIT_DONE);
	CHECK(strstr(got, "--number") != NULL);
	CHECK(strstr(got, "complete -o filenames -F") != NULL);
}

static void
duration_units(void)
{
	CHECK(parse("--pause=500") == EXIT_USAGE);
	CHECK(parse("--pause=1.5") == EXIT_USAGE);
	CHECK(parse("--pause=-1s") == EXIT_USAGE);
}

int
main(void)
{
	test("each kind of option stores its value", kinds);
	test("letters may share a dash", clusters);
	test("a value may stand behind =", equals);
	test("a duration needs a unit", duration_units);
	test("a list keeps all values, others the last", lists);
	test("operands may stand among options, or behind --", operands);
	test("wrong use is told in one line, exit status 2", refusals);
	test("--help comes from the same table, exit status 0", help);
	test("--version prints it", version);
	test("--completion names all options", completion);
	opt_list_release(&t.files);
	return tap_end();
}
