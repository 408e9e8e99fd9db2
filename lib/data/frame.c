/* SPDX-License-Identifier: MIT */
/* Does not parse again a point whose bytes, except time and value, were seen
 * before. */
#include "data/frame.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/units.h"

/* What is longer, or more, takes the general way: slower, the same result. */
#ifndef HEADS_MAX
#define HEADS_MAX 4096
#endif
enum { HEAD_BYTES = 512, TAIL_BYTES = 1 << 16, NUM_ROOM = 32 };

static const char time_key[] = "\"time\":\"";

struct tail *
tail_hold(const struct tail *t)
{
	struct tail *held = (struct tail *)(uintptr_t)t;

	(void)atomic_fetch_add_explicit(&held->refs, 1, memory_order_relaxed);
	return held;
}

void
tail_drop(const struct tail *t)
{
	struct tail *held = (struct tail *)(uintptr_t)t;

	if (atomic_fetch_sub_explicit(&held->refs, 1, memory_order_acq_rel) > 1)
		return;
	tagset_drop(held->tags);
	free(held);
}

void
frames_forget_tails(struct frames *f)
{
	struct tail *t;
	size_t at = 0;

	while ((t = map_next(&f->tails, &at)) != NULL)
		tail_drop(t);
	map_release(&f->tails);
	memset(f->recent, 0, sizeof(f->recent));
	f->tail = NULL;
	f->bytes = 0;
}

void
frames_release(struct frames *f)
{
	struct head *h;
	size_t at = 0;

	frames_forget_tails(f);
	while ((h = map_next(&f->heads, &at)) != NULL) {
		free((char *)(uintptr_t)h->text.p);
		free(h);
	}
	map_release(&f->heads);
	buf_release(&f->text);
	*f = (struct frames){ 0 };
}

static inline bool
starts_with(struct span text, struct span head)
{
	return text.n > head.n && memcmp(text.p, head.p, head.n) == 0;
}

static inline struct span
from(struct span text, size_t at)
{
	return (struct span){ text.p + at, text.n - at };
}

/* Where the first time of a text begins, which has few colons before; 0: it
 * has none. */
static size_t
find_time(struct span text)
{
	enum { COLON = sizeof(time_key) - 3 };
	size_t n = text.n < HEAD_BYTES ? text.n : HEAD_BYTES;
	const char *p = text.p, *end = p + n;

	for (; p < end && (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++)
		if (p - text.p >= COLON && end - p >= 2 && memcmp(p - COLON,
		    time_key, sizeof(time_key) - 1) == 0)
			return (size_t)(p - text.p) + 2;
	return 0;
}

/* The head that text begins with, if it goes up to the first time. */
static struct head *
find_head(struct frames *f, struct span text)
{
	size_t n = find_time(text);

	if (n == 0)
		return NULL;
	return map_get(&f->heads, (struct span){ text.p, n });
}

/* "07.25Z" as nanoseconds: what follows the minutes of a time in UTC. */
static bool
parse_seconds(struct span s, int64_t *ns)
{
	int64_t v = 0;
	size_t i;

	if (s.n < 3 || s.n > 13 || s.p[0] < '0' || s.p[0] > '5' ||
	    s.p[1] < '0' || s.p[1] > '9' || s.p[s.n - 1] != 'Z' ||
	    (s.n > 3 && (s.p[2] != '.' || s.n < 5)))
		return false;
	for (i = 3; i + 1 < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	for (i = s.n > 3 ? s.n : 4; i < 13; i++)
		v *= 10;
	*ns = ((s.p[0] - '0') * 10 + (s.p[1] - '0')) * NS_PER_S + v;
	return true;
}

/* Parse a time; of one in the same minute as one before, only its seconds. */
static bool
parse_time(struct frames *f, struct span time)
{
	char text[FRAME_MINUTE + 3];
	int64_t ns, minute_ns;

	if (time.n <= FRAME_MINUTE ||
	    !parse_seconds(from(time, FRAME_MINUTE), &ns))
		return time_parse(time, &f->time_ns);
	if (memcmp(f->minute_text, time.p, FRAME_MINUTE) != 0) {
		memcpy(text, time.p, FRAME_MINUTE);
		memcpy(text + FRAME_MINUTE, "00Z", 3);
		if (!time_parse((struct span){ text, sizeof(text) },
		    &minute_ns))
			return false;
		memcpy(f->minute_text, text, FRAME_MINUTE);
		f->minute_ns = minute_ns;
	}
	return !__builtin_add_overflow(f->minute_ns, ns, &f->time_ns);
}

/* Read a time that is not that of the line before, up to the value. */
static size_t
read_other_time(struct frames *f, struct span text)
{
	const char *quote;
	struct span time;
	size_t n;

	n = text.n < sizeof(f->time_text) ? text.n : sizeof(f->time_text);
	quote = memchr(text.p, '"', n);
	if (quote == NULL)
		return 0;
	time = (struct span){ text.p, (size_t)(quote - text.p) };
	n = time.n + sizeof(FRAME_MIDDLE) - 1;
	if (n > sizeof(f->time_text) || !starts_with(from(text, time.n),
	    SPAN(FRAME_MIDDLE)))
		return 0;
	f->time_n = 0;
	if (!parse_time(f, time))
		return 0;
	memcpy(f->time_text, text.p, n);
	f->time_id++;
	return f->time_n = n;
}

/* Read the time and what follows it, most often that of the line before.
 * Returns the bytes up to the value, or 0. */
static inline size_t
read_time(struct frames *f, struct span text)
{
	if (f->time_n != 0 && starts_with(text,
	    (struct span){ f->time_text, f->time_n }))
		return f->time_n;
	return read_other_time(f, text);
}

static inline bool
is_tail_of(const struct tail *t, struct span text)
{
	return t != NULL && starts_with(text, t->text) &&
	    text.p[t->text.n] == '\n';
}

/* Where a tail is looked for first: by a word of every other eight bytes of
 * its first, which hold most of what tells k6's tags apart. A wrong guess
 * costs time only. NULL: text is too short. */
static inline struct tail **
recent_of(struct frames *f, struct span text)
{
	enum { WORDS = 9, STRIDE = 16 };
	uint64_t word, sum = 0, odd = 0x9e3779b97f4a7c15U;
	int i;

	if (text.n < WORDS * STRIDE)
		return NULL;
	for (i = 0; i < WORDS; i++, odd += 0x6a09e667f3bcc908U) {
		memcpy(&word, text.p + i * STRIDE + 8, sizeof(word));
		sum += word * odd;
	}
	return &f->recent[(sum ^ sum >> 32) * odd >> 55];
}

/* A tail that is not the likely one: the one that followed it the last time,
 * one of those seen lately, or any other up to a newline or text's end. */
static struct tail *
find_tail(struct frames *f, struct span text)
{
	struct tail *t = f->tail != NULL ? f->tail->next : NULL, **recent;
	const char *newline;

	if (is_tail_of(t, text))
		return t;
	recent = recent_of(f, text);
	if (recent != NULL && is_tail_of(*recent, text))
		return *recent;
	newline = memchr(text.p, '\n', text.n);
	if (newline != NULL)
		text.n = (size_t)(newline - text.p);
	t = map_get(&f->tails, text);
	if (recent != NULL && t != NULL)
		*recent = t;
	return t;
}

/* Note which head and tail came after which. */
static inline void
note_order(struct frames *f, struct head *h, struct tail *t)
{
	if (f->head != NULL)
		f->head->next = h;
	f->head = h;
	if (f->tail == t)
		return;
	if (f->tail != NULL)
		f->tail->next = t;
	f->tail = t;
}

/* The line of a head and tail as a point, but for its value. */
static inline void
fill(struct point *p, const struct frames *f, const struct head *h,
    const struct tail *t)
{
	p->metric = h->metric != NULL ? h->metric : t->metric;
	p->tags = t->tags;
	p->time_ns = f->time_ns;
	p->head = h;
	p->tail = t;
	p->time_id = f->time_id;
	p->time_n = (uint8_t)(f->time_n - (sizeof(FRAME_MIDDLE) - 1));
	p->has_metadata = false;
}

size_t
frames_match(struct frames *f, struct span text, struct point *out)
{
	struct head *h = find_head(f, text);
	size_t at, n;
	struct tail *t;

	if (h == NULL)
		return 0;
	at = h->text.n;
	n = read_time(f, from(text, at));
	if (n == 0)
		return 0;
	at += n;
	n = num_parse(text.p + at, text.n - at, &out->value);
	if (n == 0 || n > NUM_ROOM)
		return 0;
	out->value_at = (uint16_t)at;
	out->value_n = (uint8_t)n;
	at += n;
	t = find_tail(f, from(text, at));
	if (t == NULL || (h->metric != NULL) == (t->metric != NULL))
		return 0;
	at += t->text.n;
	out->line = (struct span){ text.p, at };
	fill(out, f, h, t);
	if (!metric_takes(out->metric, out->value))
		return 0;
	note_order(f, h, t);
	return at;
}

/* A number with NUM_ROOM bytes to look at; most are a single digit. */
static inline size_t
read_value(const char *p, double *value)
{
	unsigned digit = (unsigned char)p[0] - '0';

	if (digit > 9 || p[1] != ',')
		return num_parse(p, NUM_ROOM, value);
	*value = digit;
	return 1;
}

/* The same, faster, where text goes on behind any line of a known frame, so
 * that what is likely is compared without a look at the end: the head that
 * came next the last time, the time of the line before, and its tail. */
static inline size_t
match_likely(struct frames *f, const char *p, const char *end,
    struct point *out)
{
	struct head *h = f->head->next;
	struct tail *t = f->tail;
	const char *at;
	size_t n;

	if (h == NULL || memcmp(p, h->text.p, h->text.n) != 0)
		return frames_match(f, (struct span){ p, (size_t)(end - p) },
		    out);
	at = p + h->text.n;
	if (memcmp(at, f->time_text, f->time_n) != 0 &&
	    read_other_time(f, (struct span){ at, (size_t)(end - at) }) == 0)
		return 0;
	at += f->time_n;
	n = read_value(at, &out->value);
	if (n == 0)
		return 0;
	out->value_at = (uint16_t)(at - p);
	at += n;
	if (memcmp(at, t->text.p, t->text.n) != 0 || at[t->text.n] != '\n')
		t = find_tail(f, (struct span){ at, (size_t)(end - at) });
	if (t == NULL || (h->metric != NULL) == (t->metric != NULL))
		return 0;
	out->value_n = (uint8_t)n;
	out->line = (struct span){ p, (size_t)(at - p) + t->text.n };
	fill(out, f, h, t);
	if (!metric_takes(out->metric, out->value))
		return 0;
	note_order(f, h, t);
	return out->line.n;
}

int
frames_match_all(struct frames *f, struct span text, struct point *out,
    int max, size_t *bytes)
{
	size_t room = f->longest_head + sizeof(f->time_text) + NUM_ROOM +
	    f->longest_tail + 1;
	const char *p = text.p, *end = p + text.n;
	size_t left, n;
	int i;

	for (i = 0; i < max; i++) {
		left = (size_t)(end - p);
		n = left >= room && f->head != NULL && f->tail != NULL &&
		    f->time_n != 0 ? match_likely(f, p, end, &out[i])
		    : frames_match(f, (struct span){ p, left }, &out[i]);
		if (n == 0 || n == left)
			break;
		p += n + 1;
	}
	*bytes = (size_t)(p - text.p);
	return i;
}

/* The text of a, b and c in a row; dies at the next call. */
static struct span
joined(struct frames *f, struct span a, struct span b, struct span c)
{
	buf_reset(&f->text);
	buf_span(&f->text, a);
	buf_span(&f->text, b);
	buf_span(&f->text, c);
	return buf_whole(&f->text);
}

/* A head in k6's form: of today, which names the metric, or of before. */
static bool
is_head(struct frames *f, struct span head, struct span metric,
    bool *has_metric)
{
	*has_metric = span_equal(head, joined(f, SPAN("{\"metric\":\""),
	    metric, SPAN("\",\"type\":\"Point\",\"data\":{\"time\":\"")));
	return *has_metric ||
	    span_equal(head, SPAN("{\"type\":\"Point\",\"data\":{\"time\":\""));
}

/* The tail that belongs to such a head; a '\r' may end the line. */
static bool
is_tail(struct frames *f, struct span tail, const struct frame_parts *parts,
    bool has_metric)
{
	struct span tags = parts->tags_text;

	if (tail.n > 0 && tail.p[tail.n - 1] == '\r')
		tail.n--;
	if (has_metric)
		return span_equal(tail, joined(f, SPAN(",\"tags\":"), tags,
		    SPAN("}}")));
	buf_reset(&f->text);
	buf_span(&f->text, SPAN(",\"tags\":"));
	buf_span(&f->text, tags);
	buf_span(&f->text, SPAN("},\"metric\":\""));
	buf_span(&f->text, parts->metric_text);
	buf_span(&f->text, SPAN("\"}"));
	return span_equal(tail, buf_whole(&f->text));
}

static void
add_head(struct frames *f, struct span text, const struct metric *metric)
{
	struct head *h = xcalloc(1, sizeof(*h));

	h->text = (struct span){ xstrndup(text.p, text.n), text.n };
	h->metric = metric;
	map_put(&f->heads, h->text, h);
	if (f->longest_head < text.n)
		f->longest_head = text.n;
}

static void
add_tail(struct frames *f, struct span text, const struct tagset *tags,
    const struct metric *metric)
{
	struct tail *t = xmalloc(sizeof(*t) + text.n);
	char *copy = (char *)(t + 1);

	memcpy(copy, text.p, text.n);
	*t = (struct tail){ .text = { copy, text.n },
	    .tags = tagset_hold(tags), .metric = metric };
	atomic_init(&t->refs, 1);
	map_put(&f->tails, t->text, t);
	f->bytes += sizeof(*t) + text.n;
	if (f->longest_tail < text.n)
		f->longest_tail = text.n;
}

void
frames_learn(struct frames *f, const struct frame_parts *parts)
{
	const char *end = parts->line.p + parts->line.n;
	const char *value_end = parts->value.p + parts->value.n;
	struct span head, tail = { value_end, (size_t)(end - value_end) };
	bool has_metric;

	if (parts->time.p > parts->value.p || parts->tags_text.p == NULL)
		return;
	head = (struct span){ parts->line.p,
	    (size_t)(parts->time.p - parts->line.p) };
	if (head.n > HEAD_BYTES || tail.n > TAIL_BYTES ||
	    !is_head(f, head, parts->metric_text, &has_metric) ||
	    !is_tail(f, tail, parts, has_metric))
		return;
	if (map_get(&f->heads, head) == NULL) {
		if (f->heads.n >= HEADS_MAX)
			return;
		add_head(f, head, has_metric ? parts->metric : NULL);
	}
	if (map_get(&f->tails, tail) == NULL)
		add_tail(f, tail, parts->tags,
		    has_metric ? NULL : parts->metric);
}
