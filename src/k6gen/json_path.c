/* SPDX-License-Identifier: MIT */
/* One value of a JSON text, found without reading what is behind it. */
#include "k6gen/json_path.h"

#include "data/jsn.h"

/* The next step of a path: a name, or an index (name.p NULL). */
struct step {
	struct span name;
	long index;
};

/* Take a step off the path. False: it is none. */
static bool
take_step(struct span *path, struct step *s)
{
	const char *p = path->p, *end = path->p + path->n;

	*s = (struct step){ .index = 0 };
	if (p < end && *p == '[') {
		for (p++; p < end && *p >= '0' && *p <= '9' &&
		    s->index < 1000000; p++)
			s->index = 10 * s->index + *p - '0';
		if (p == path->p + 1 || p == end || *p != ']')
			return false;
		p++;
	} else {
		while (p < end && *p != '.' && *p != '[')
			p++;
		s->name = (struct span){ path->p, (size_t)(p - path->p) };
		if (s->name.n == 0)
			return false;
	}
	/* A dot stands before a name. */
	if (p < end && *p == '.') {
		if (++p == end)
			return false;
	} else if (p < end && *p != '[') {
		return false;
	}
	*path = (struct span){ p, (size_t)(end - p) };
	return true;
}

bool
json_path_is(struct span path)
{
	struct step s;

	if (path.n == 0)
		return false;
	while (path.n > 0)
		if (!take_step(&path, &s))
			return false;
	return true;
}

static bool
is_key(struct span raw, struct span name, struct buf *scratch)
{
	buf_reset(scratch);
	return span_equal(jsn_plain(scratch, raw), name);
}

/* Go to the member or element of the value at the cursor. */
static bool
descend(struct jsn *j, const struct step *s, struct buf *scratch)
{
	struct span raw;
	long i;

	if (s->name.p == NULL) {
		if (jsn_peek(j) != '[' || !jsn_enter(j, '['))
			return false;
		for (i = 0; jsn_element(j); i++) {
			if (i == s->index)
				return true;
			(void)jsn_skip(j);
		}
		return false;
	}
	if (jsn_peek(j) != '{' || !jsn_enter(j, '{'))
		return false;
	while (jsn_member(j, &raw)) {
		if (is_key(raw, s->name, scratch))
			return true;
		(void)jsn_skip(j);
	}
	return false;
}

bool
json_path_find(struct span json, struct span path, struct buf *scratch,
    struct span *value, bool *is_text)
{
	struct jsn j = jsn_of(json);
	struct span raw;
	struct step s;

	while (path.n > 0)
		if (!take_step(&path, &s) || !descend(&j, &s, scratch))
			return false;
	*is_text = jsn_peek(&j) == '"';
	if (!*is_text)
		return jsn_value(&j, value);
	if (!jsn_text(&j, &raw))
		return false;
	buf_reset(scratch);
	*value = jsn_plain(scratch, raw);
	return true;
}
