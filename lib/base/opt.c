/* SPDX-License-Identifier: MIT */
/* Options: parsing, --help and the completion, from the same tables. */
#include "base/opt.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/units.h"

#ifndef K6PIPE_VERSION
#define K6PIPE_VERSION "unknown"
#endif

enum { MAX_OPTIONS = 96, TABLES = 4, FIRST_LONG = 0x100, HELP_COLUMNS = 48 };

static const struct opt common[] = {
	{ 'h', "help", NULL, "show this help and exit", OPT_FLAG, 0, NULL, 0 },
	{ 'V', "version", NULL, "show the version and exit", OPT_FLAG, 0,
	    NULL, 0 },
	{ 0, "completion", NULL, "print a bash completion script and exit",
	    OPT_FLAG, 0, NULL, 0 },
	{ 0 },
};

/* All rows of a tool in one list, `common` last. */
struct rows {
	const struct opt *o[MAX_OPTIONS];
	int n;
};

static void
add_rows(struct rows *rows, const struct opt *table)
{
	for (; table != NULL && table->name != NULL; table++)
		if (rows->n < MAX_OPTIONS)
			rows->o[rows->n++] = table;
}

static struct rows
all_rows(const struct opt_tool *tool)
{
	struct rows rows = { .n = 0 };
	int i;

	for (i = 0; i < TABLES; i++)
		add_rows(&rows, tool->tables[i]);
	add_rows(&rows, common);
	return rows;
}

/* Text from the column on where the help of an option stands; no line is
 * longer than a terminal of 80 columns. */
static void
print_wrapped(const char *text)
{
	const char *end, *blank;

	while (strlen(text) > HELP_COLUMNS) {
		end = text + HELP_COLUMNS;
		for (blank = end; blank > text && *blank != ' '; blank--)
			;
		if (blank == text)
			break;
		printf("%.*s\n  %28s  ", (int)(blank - text), text, "");
		text = blank + 1;
	}
	printf("%s\n", text);
}

static void
print_help(const struct opt_tool *tool, const struct rows *rows)
{
	char left[64], letter[8];
	const struct opt *o;
	int i;

	printf("usage: %s %s\n%s\n\noptions:\n",
	    program_invocation_short_name, tool->synopsis, tool->about);
	for (i = 0; i < rows->n; i++) {
		o = rows->o[i];
		(void)snprintf(letter, sizeof(letter),
		    o->letter != 0 ? "-%c, " : "    ", o->letter);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter,
		    o->name, o->arg != NULL ? " " : "",
		    o->arg != NULL ? o->arg : "");
		if (strlen(left) <= 28)
			printf("  %-28s  ", left);
		else
			printf("  %s\n  %28s  ", left, "");
		print_wrapped(o->help);
	}
	if (tool->examples != NULL)
		printf("\nexamples:\n%s", tool->examples);
	printf("\nThe manual: man %s, man 7 k6pipe\n",
	    program_invocation_short_name);
}

static void
print_completion(const struct rows *rows)
{
	const char *name = program_invocation_short_name;
	int i;

	printf("# bash completion of %s; made by %s --completion\n"
	    "_%s()\n{\n\tlocal word=${COMP_WORDS[COMP_CWORD]}\n"
	    "\tif [[ $word == -* ]]; then\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -W '", name, name, name);
	for (i = 0; i < rows->n; i++) {
		if (rows->o[i]->letter != 0)
			printf("-%c ", rows->o[i]->letter);
		printf("--%s ", rows->o[i]->name);
	}
	printf("' -- \"$word\")\n\telse\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
	    "\tfi\n}\ncomplete -o filenames -F _%s %s\n", name, name);
}

int
opt_misuse(const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	warnf("%s", text);
	say("usage: %s --help lists the options\n",
	    program_invocation_short_name);
	return EXIT_USAGE;
}

/* Store one option's value in the target. */
static int
apply(const struct opt *o, void *target, const char *value, struct why *why)
{
	void *member = (char *)target + o->offset;
	int64_t number;
	double plain;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)member = true;
		return 0;
	case OPT_TEXT:
		*(const char **)member = value;
		return 0;
	case OPT_INT:
		if (!num_parse_int(value, 0, INT64_MAX, &number))
			return why_set(why, "not a whole number: \"%s\"",
			    value);
		*(int64_t *)member = number;
		return 0;
	case OPT_DURATION:
		if ((num_parse(value, strlen(value), &plain) ==
		    strlen(value) && strcmp(value, "0") != 0) ||
		    !duration_parse(value, &number) || number < 0)
			return why_set(why, "not a duration: \"%s\" "
			    "(30s, 1m30s, 500ms)", value);
		*(int64_t *)member = number;
		return 0;
	case OPT_LIST:
		opt_list_add(member, value);
		return 0;
	case OPT_CALL:
		return o->set(member, o, value, why);
	}
	return 0;
}

/* Translate the rows for getopt_long. */
static void
prepare(const struct rows *rows, char *letters, struct option *longs)
{
	const struct opt *o;
	int i;

	*letters++ = ':';
	for (i = 0; i < rows->n; i++) {
		o = rows->o[i];
		longs[i] = (struct option){ o->name, o->arg != NULL ?
		    required_argument : no_argument, NULL, FIRST_LONG + i };
		if (o->letter == 0)
			continue;
		*letters++ = o->letter;
		if (o->arg != NULL)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[rows->n] = (struct option){ 0 };
}

static const struct opt *
row_of(const struct rows *rows, int c)
{
	int i;

	if (c >= FIRST_LONG)
		return rows->o[c - FIRST_LONG];
	for (i = 0; i < rows->n; i++)
		if (rows->o[i]->letter == c)
			return rows->o[i];
	return NULL;
}

static const char *
hint_of(const struct opt_tool *tool, int letter)
{
	const struct opt_hint *h;

	for (h = tool->hints; h != NULL && h->letter != '\0'; h++)
		if (h->letter == letter)
			return h->text;
	return NULL;
}

/* What getopt refused: an option that is unknown, lacks its value, or has
 * one that it does not take. */
static int
refuse(const struct opt_tool *tool, const struct rows *rows, int c,
    char **argv)
{
	const char *given = argv[optind - 1], *hint;

	if (c == ':')
		return opt_misuse("%s: needs a value", given);
	if (optopt >= FIRST_LONG)
		return opt_misuse("--%s: takes no value",
		    row_of(rows, optopt)->name);
	if (optopt == 0)
		return opt_misuse("%s: unknown or ambiguous option", given);
	hint = hint_of(tool, optopt);
	if (hint != NULL)
		return opt_misuse("-%c: unknown option (%s)", optopt, hint);
	return opt_misuse("-%c: unknown option", optopt);
}

/* -host of another tool begins as -h does, and asks for no help. */
static int
refuse_long_letter(const struct opt_tool *tool, int c, const char *given)
{
	const char *hint = hint_of(tool, c);

	if (hint != NULL)
		return opt_misuse("%s: unknown option (%s)", given, hint);
	return opt_misuse("%s: unknown option", given);
}

/* Whether letters stand behind the one that getopt has read, the first of its
 * argument. */
static bool
is_long_letter(int c, const char *given)
{
	return given != NULL && given[0] == '-' && given[1] == c &&
	    given[2] != '\0';
}

/* The options that every tool has. Returns the exit status or OPT_CONTINUE. */
static int
answer_common(const struct opt_tool *tool, const struct rows *rows,
    const struct opt *o)
{
	if (o == &common[0])
		print_help(tool, rows);
	else if (o == &common[1])
		printf("%s %s\n", program_invocation_short_name,
		    K6PIPE_VERSION);
	else if (o == &common[2])
		print_completion(rows);
	else
		return OPT_CONTINUE;
	return close_stdout(EXIT_DONE);
}

int
opt_parse(const struct opt_tool *tool, void *target, int argc, char **argv,
    int *first)
{
	struct rows rows = all_rows(tool);
	struct option longs[MAX_OPTIONS + 1];
	char letters[2 * MAX_OPTIONS + 2];
	const struct opt *o;
	struct why why;
	int c, status;

	prepare(&rows, letters, longs);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return refuse(tool, &rows, c, argv);
		if ((c == 'h' || c == 'V') && is_long_letter(c, argv[optind]))
			return refuse_long_letter(tool, c, argv[optind]);
		o = row_of(&rows, c);
		status = answer_common(tool, &rows, o);
		if (status != OPT_CONTINUE)
			return status;
		if (apply(o, target, optarg, &why) < 0)
			return opt_misuse("--%s: %s", o->name, why.text);
	}
	*first = optind;
	return OPT_CONTINUE;
}

void
opt_list_add(struct opt_list *list, const char *item)
{
	list->items = xgrow(list->items, list->n, &list->cap,
	    sizeof(list->items[0]));
	list->items[list->n++] = item;
}

void
opt_list_release(struct opt_list *list)
{
	free(list->items);
	*list = (struct opt_list){ 0 };
}
