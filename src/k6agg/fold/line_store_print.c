/* SPDX-License-Identifier: MIT */
/* Lines that were kept, printed as they were. */
#include <stdlib.h>

#include "k6agg/fold/line_store_priv.h"

void
line_form_free(struct form *f)
{
	if (f != NULL)
		buf_release(&f->text);
	free(f);
}

static const char *
unpack_whole(const char *at, struct buf *out)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	buf_add(out, at + sizeof(n), n);
	buf_char(out, '\n');
	return at + sizeof(n) + n;
}

static char *
put(char *to, struct span text)
{
	return (char *)mempcpy(to, text.p, text.n);
}

static void
print(const struct head *head, struct span time, struct span value,
    const struct tail *tail, struct buf *out)
{
	char *to = buf_room(out, head->text.n + time.n +
	    sizeof(FRAME_MIDDLE) + value.n + tail->text.n);

	to = put(to, head->text);
	to = put(to, time);
	to = put(to, SPAN(FRAME_MIDDLE));
	to = put(to, value);
	to = put(to, tail->text);
	*to++ = '\n';
	out->n = (size_t)(to - out->p);
}

static void
print_each(const struct shape *s, const char *at, struct buf *out)
{
	struct span time = { "", 0 }, value;
	int i;

	for (i = 0; i < s->n; i++) {
		if (s->head[i] == NULL) {
			at = unpack_whole(at, out);
			continue;
		}
		if (at[0] != 0)
			time = (struct span){ at + 2, (uint8_t)at[0] };
		value = (struct span){ at + 2 + (uint8_t)at[0],
		    (uint8_t)at[1] };
		at = value.p + value.n;
		print(s->head[i], time, value, s->tail[i], out);
	}
}

/* The form of a shape, once it is printed again; NULL the first time, as
 * nearly each request may have a shape of its own. */
static const struct form *
form_of(struct line_store *k, size_t index)
{
	const struct shape *s = &k->shapes[index];
	struct form *f = k->form;
	int i;

	if (f == NULL || f->index != index) {
		if (f == NULL)
			f = k->form = xcalloc(1, sizeof(*f));
		f->index = index;
		f->is_ready = false;
		return NULL;
	}
	if (f->is_ready)
		return f;
	buf_reset(&f->text);
	for (i = 0; i < s->n; i++) {
		buf_span(&f->text, s->head[i]->text);
		f->end[i] = f->text.n;
		buf_span(&f->text, s->tail[i]->text);
		buf_char(&f->text, '\n');
	}
	f->end[i] = f->text.n;
	(void)buf_room(&f->text, LINE_STEP);
	f->is_ready = true;
	return f;
}

/* Print lines of an even shape with a form: where a tail ends the next head
 * begins, so that both are one text. */
static void
print_form(const struct form *f, int n, const char *at, struct buf *out)
{
	const uint8_t *value_n = (const uint8_t *)at + 1;
	char middle[UINT8_MAX + sizeof(FRAME_MIDDLE) + LINE_STEP];
	size_t time_n = (uint8_t)at[0], middle_n, total, from = 0;
	char *to;
	int i;

	at += 1 + n;
	middle_n = (size_t)(put(line_copy_over(middle, at, time_n),
	    SPAN(FRAME_MIDDLE)) - middle);
	at += time_n;
	for (i = 0, total = f->end[n]; i < n; i++)
		total += middle_n + value_n[i];
	to = buf_room(out, total + LINE_STEP);
	for (i = 0; i < n; i++) {
		to = line_copy_over(to, f->text.p + from, f->end[i] - from);
		to = line_copy_over(to, middle, middle_n);
		to = line_copy_over(to, at, value_n[i]);
		at += value_n[i];
		from = f->end[i];
	}
	(void)line_copy_over(to, f->text.p + from, f->end[n] - from);
	out->n += total;
}

static void
print_even(const struct shape *s, const char *at, struct buf *out)
{
	const uint8_t *value_n = (const uint8_t *)at + 1;
	struct span time = { at + 1 + s->n, (uint8_t)at[0] };
	int i;

	at = time.p + time.n;
	for (i = 0; i < s->n; i++) {
		print(s->head[i], time, (struct span){ at, value_n[i] },
		    s->tail[i], out);
		at += value_n[i];
	}
}

void
line_store_get(struct line_store *k, size_t place, struct buf *out)
{
	const char *at = k->packed.p + place;
	const struct form *form;
	const struct shape *s;
	uint32_t index;

	memcpy(&index, at, sizeof(index));
	at += sizeof(index);
	s = &k->shapes[index & ~LINE_EVEN];
	if ((index & LINE_EVEN) == 0) {
		print_each(s, at, out);
		return;
	}
	form = form_of(k, index & ~LINE_EVEN);
	if (form != NULL)
		print_form(form, s->n, at, out);
	else
		print_even(s, at, out);
}
