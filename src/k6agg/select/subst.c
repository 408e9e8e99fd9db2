/* SPDX-License-Identifier: MIT */
/* sed's s command, on POSIX extended regular expressions. */
#include "k6agg/select/subst.h"

#include <stdint.h>
#include <stdlib.h>

enum { PARTS = 10 };

/* The ] of the bracket expression that begins at p; NULL: it has none. */
static const char *
bracket_end(const char *p)
{
	const char *class_end;

	p += p[1] == '^' ? 2 : 1;
	if (*p == ']')
		p++;
	for (; *p != ']'; p++) {
		if (*p == '\0')
			return NULL;
		if (p[0] != '[' || p[1] == '\0' || strchr(":.=", p[1]) == NULL)
			continue;
		class_end = strstr(p + 2, (char[]){ p[1], ']', '\0' });
		if (class_end != NULL)
			p = class_end + 1;
	}
	return p;
}

/* Cut the part up to the delimiter out of *text, a \ before the delimiter
 * taken away; in brackets of an expression it ends nothing. NULL: there is no
 * delimiter. The caller frees it. */
static char *
take_part(const char **text, char delimiter, bool is_expression)
{
	char *part = xmalloc(strlen(*text) + 1), *to = part;
	const char *p, *inside = NULL;

	for (p = *text; *p != '\0' && (*p != delimiter || p < inside); p++) {
		if (is_expression && *p == '[' && p >= inside)
			inside = bracket_end(p);
		if (p[0] == '\\' && p[1] == delimiter)
			p++;
		else if (p[0] == '\\' && p[1] != '\0' && p >= inside)
			*to++ = *p++;
		*to++ = *p;
	}
	*to = '\0';
	if (*p == delimiter) {
		*text = p + 1;
		return part;
	}
	free(part);
	return NULL;
}

/* The highest \1..\9 of the text. */
static size_t
highest_part(const char *to)
{
	size_t highest = 0;

	for (; *to != '\0'; to++)
		if (to[0] == '\\' && to[1] != '\0') {
			to++;
			if (*to >= '1' && *to <= '9' &&
			    (size_t)(*to - '0') > highest)
				highest = (size_t)(*to - '0');
		}
	return highest;
}

static int
read_flags(const char *text, bool *is_global, int *flags)
{
	for (; *text != '\0'; text++)
		if (*text == 'g')
			*is_global = true;
		else if (*text == 'i' || *text == 'I')
			*flags |= REG_ICASE;
		else
			return -1;
	return 0;
}

/* Compile, and see that the text asks for no part that is not there. */
static int
compile(struct subst *s, const char *from, int flags, struct why *why)
{
	char error[128];
	int code = regcomp(&s->regex, from, flags);

	if (code != 0) {
		(void)regerror(code, &s->regex, error, sizeof(error));
		return why_set(why, "\"%s\": %s", from, error);
	}
	if (highest_part(s->to) <= s->regex.re_nsub)
		return 0;
	regfree(&s->regex);
	return why_set(why, "\"%s\": no part \\%zu in \"%s\"", s->to,
	    highest_part(s->to), from);
}

int
subst_parse(struct subst *s, const char *text, struct why *why)
{
	const char *rest = text + 2;
	int flags = REG_EXTENDED, status;
	char *from;

	*s = (struct subst){ 0 };
	if (text[0] != 's' || text[1] == '\0' || text[1] == '\\' ||
	    text[1] == '\n')
		return why_set(why, "\"%s\" is not s/ERE/TEXT/", text);
	from = take_part(&rest, text[1], true);
	s->to = from != NULL ? take_part(&rest, text[1], false) : NULL;
	if (s->to == NULL)
		status = why_set(why, "\"%s\" is not s/ERE/TEXT/", text);
	else if (read_flags(rest, &s->is_global, &flags) < 0)
		status = why_set(why, "\"%s\": flags are g and i", text);
	else if (from[0] == '\0')
		status = why_set(why, "\"%s\": an empty expression", text);
	else
		status = compile(s, from, flags, why);
	free(from);
	if (status < 0) {
		free(s->to);
		s->to = NULL;
	}
	return status;
}

void
subst_release(struct subst *s)
{
	if (s->to == NULL)
		return;
	regfree(&s->regex);
	free(s->to);
	s->to = NULL;
}

/* Append the text of one match; m are offsets from p. */
static void
put_text(const struct subst *s, const char *p, const regmatch_t *m,
    struct buf *out)
{
	const char *to;
	int part;

	for (to = s->to; *to != '\0'; to++) {
		part = -1;
		if (*to == '&')
			part = 0;
		else if (to[0] == '\\' && to[1] != '\0')
			part = *++to >= '1' && *to <= '9' ? *to - '0' : -1;
		else {
			buf_char(out, *to);
			continue;
		}
		if (part < 0)
			buf_char(out, *to == 'n' ? '\n' : *to);
		else if (m[part].rm_so >= 0)
			buf_add(out, p + m[part].rm_so,
			    (size_t)(m[part].rm_eo - m[part].rm_so));
	}
}

bool
subst_apply(const struct subst *s, struct span in, struct buf *out)
{
	regmatch_t m[PARTS];
	bool has_match = false;
	size_t at = 0, begin, end, last = SIZE_MAX;

	while (at <= in.n && (s->is_global || !has_match)) {
		m[0] = (regmatch_t){ .rm_so = (regoff_t)at,
		    .rm_eo = (regoff_t)in.n };
		if (regexec(&s->regex, in.p, PARTS, m, REG_STARTEND |
		    (at > 0 ? REG_NOTBOL : 0)) != 0)
			break;
		begin = (size_t)m[0].rm_so;
		end = (size_t)m[0].rm_eo;
		buf_add(out, in.p + at, begin - at);
		/* Nothing, right behind a match, is no match of its own. */
		if (begin != end || begin != last) {
			put_text(s, in.p, m, out);
			has_match = true;
		}
		at = last = end;
		if (begin == end) {	/* of nothing: go on, or stay forever */
			do {
				if (at < in.n)
					buf_char(out, in.p[at]);
				at++;
			} while (at < in.n && (in.p[at] & 0xC0) == 0x80);
		}
	}
	if (at < in.n)
		buf_add(out, in.p + at, in.n - at);
	return has_match;
}
