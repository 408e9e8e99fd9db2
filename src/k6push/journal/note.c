/* SPDX-License-Identifier: MIT */
/* The journal's note, printed and parsed. */
#include "k6push/journal/note.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/jsn.h"

enum { NOTE_VERSION = 1 };

enum kind { TEXT, RAW, KEY, NUMBER, SMALL, FLAG };

static const struct member {
	const char *name;
	enum kind kind;
	size_t at;
} members[] = {
	{ "host", TEXT, offsetof(struct note, host) },
	{ "shared_run", TEXT, offsetof(struct note, shared_run) },
	{ "push_url", TEXT, offsetof(struct note, push_url) },
	{ "out", TEXT, offsetof(struct note, out) },
	{ "name", TEXT, offsetof(struct note, name) },
	{ "thresholds", RAW, offsetof(struct note, thresholds) },
	{ "vus", NUMBER, offsetof(struct note, vus) },
	{ "duration_ns", NUMBER, offsetof(struct note, duration_ns) },
	{ "create_key", KEY, offsetof(struct note, create_key) },
	{ "run", TEXT, offsetof(struct note, run) },
	{ "page", TEXT, offsetof(struct note, page) },
	{ "database", TEXT, offsetof(struct note, database) },
	{ "config", RAW, offsetof(struct note, config) },
	{ "is_borrowed", FLAG, offsetof(struct note, is_borrowed) },
	{ "keeps_testid", FLAG, offsetof(struct note, keeps_testid) },
	{ "has_own_testids", FLAG, offsetof(struct note, has_own_testids) },
	{ "own_testid", TEXT, offsetof(struct note, own_testid) },
	{ "instance", TEXT, offsetof(struct note, instance) },
	{ "started_ns", NUMBER, offsetof(struct note, started_ns) },
	{ "has_ended", FLAG, offsetof(struct note, has_ended) },
	{ "is_cut", FLAG, offsetof(struct note, is_cut) },
	{ "made", NUMBER, offsetof(struct note, made) },
	{ "dropped", NUMBER, offsetof(struct note, dropped) },
	{ "points", NUMBER, offsetof(struct note, points) },
	{ "first_ns", NUMBER, offsetof(struct note, first_ns) },
	{ "last_ns", NUMBER, offsetof(struct note, last_ns) },
	{ "is_from_data", FLAG, offsetof(struct note, is_from_data) },
	{ "run_status", SMALL, offsetof(struct note, run_status) },
	{ "result_status", SMALL, offsetof(struct note, result_status) },
	{ "results", RAW, offsetof(struct note, results) },
	{ "finish_key", KEY, offsetof(struct note, finish_key) },
};

enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

void
note_release(struct note *n)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		if (members[i].kind == TEXT || members[i].kind == RAW)
			free(*(char **)((char *)n + members[i].at));
	*n = (struct note){ 0 };
}

void
note_set(char **member, const char *text, size_t n)
{
	char *copy = text != NULL && n > 0 ? xstrndup(text, n) : NULL;

	free(*member);
	*member = copy;
}

/* Times since 1970 in ns pass 2^53: they go as text. */
static void
print_number(struct jsn_out *o, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	jsn_put_text(o, span_of(text));
}

static void
print_member(const struct note *n, const struct member *m,
    struct jsn_out *o)
{
	const char *at = (const char *)n + m->at;
	const char *text = m->kind == TEXT || m->kind == RAW
	    ? *(char *const *)at : at;

	if (m->kind <= KEY && (text == NULL || text[0] == '\0'))
		return;
	jsn_key(o, m->name);
	switch (m->kind) {
	case TEXT:
	case KEY:
		jsn_put_text(o, span_of(text));
		break;
	case RAW:
		jsn_put_raw(o, span_of(text));
		break;
	case NUMBER:
		print_number(o, *(const int64_t *)at);
		break;
	case SMALL:
		print_number(o, *(const int *)at);
		break;
	case FLAG:
		jsn_put_bool(o, *(const bool *)at);
		break;
	}
}

void
note_print(const struct note *n, struct buf *out)
{
	struct jsn_out o = { .to = out };
	int i;

	jsn_open(&o, '{');
	jsn_member_int(&o, "version", NOTE_VERSION);
	for (i = 0; i < MEMBERS; i++)
		print_member(n, &members[i], &o);
	jsn_close(&o, '}');
}

static void
take_text(struct note *n, const struct member *m, struct span raw)
{
	char *at = (char *)n + m->at;
	struct buf text = { 0 };

	jsn_unescape(&text, raw);
	buf_text(&text, "");
	if (m->kind == TEXT)
		note_set((char **)at, text.p, text.n);
	else if (m->kind == KEY)
		(void)snprintf(at, KEY_TEXT, "%s", text.p);
	else if (m->kind == NUMBER)
		*(int64_t *)at = strtoll(text.p, NULL, 10);
	else if (m->kind == SMALL)
		*(int *)at = (int)strtol(text.p, NULL, 10);
	buf_release(&text);
}

static void
take_member(struct note *n, const struct member *m, struct jsn *j)
{
	char first = jsn_peek(j);
	struct span value;

	if (first == '"' && m->kind != RAW && m->kind != FLAG) {
		if (jsn_text(j, &value))
			take_text(n, m, value);
	} else if (jsn_value(j, &value)) {
		if (m->kind == RAW && first == '{')
			note_set((char **)((char *)n + m->at), value.p,
			    value.n);
		else if (m->kind == FLAG)
			*(bool *)((char *)n + m->at) = first == 't';
	}
}

int
note_parse(struct note *n, struct span text, struct why *why)
{
	struct jsn j = jsn_of(text);
	double version = 0;
	struct span key;
	int i;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		for (i = 0; i < MEMBERS && !span_is(key, members[i].name);
		    i++)
			;
		if (i < MEMBERS)
			take_member(n, &members[i], &j);
		else if (span_is(key, "version") && jsn_peek(&j) == '1')
			(void)jsn_number(&j, &version);
		else
			(void)jsn_skip(&j);
	}
	if (!jsn_done(&j))
		return why_set(why, "its note is damaged");
	if (version != NOTE_VERSION)
		return why_set(why, "it was written by a later version");
	return 0;
}
