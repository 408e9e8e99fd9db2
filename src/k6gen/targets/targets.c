/* SPDX-License-Identifier: MIT */
/* Where targets come from: URLs, a file, or a thread that reads stdin. */
#include "k6gen/targets/targets.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/lines.h"
#include "io/url.h"
#include "k6gen/targets/mix.h"
#include "k6gen/targets/target.h"

enum {
	AHEAD = 1024,	/* targets of stdin that are held */
	SHOWN_BAD = 5,
	POLL_MS = 100,
};

enum source { URLS, FILE_IN_ORDER, FILE_RANDOM, STREAM };

struct targets {
	enum source source;
	struct target_defaults defaults;
	struct target **all;	/* of a file, or the URLs */
	size_t n, cap;
	struct mix mix;		/* turns of a file's targets */
	size_t next;		/* of them, in order */
	char *title;
	/* Of a stream: what the reader has brought and nobody took yet. */
	pthread_t reader;
	bool is_reading;
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct target *ring[AHEAD];
	size_t first, held;
	bool is_over, must_stop, is_empty;
	int64_t n_bad;
};

static struct targets *
make_targets(enum source source, const struct target_defaults *d)
{
	struct targets *t = xcalloc(1, sizeof(*t));

	t->source = source;
	t->defaults = *d;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->room, NULL);
	return t;
}

static void
discard_target(struct target *target)
{
	target_release(target);
	free(target);
}

void
targets_free(struct targets *t)
{
	size_t i;

	if (t == NULL)
		return;
	if (t->is_reading) {
		(void)pthread_mutex_lock(&t->lock);
		t->must_stop = true;
		(void)pthread_cond_signal(&t->room);
		(void)pthread_mutex_unlock(&t->lock);
		(void)pthread_join(t->reader, NULL);
	}
	for (i = 0; i < t->held; i++)
		discard_target(t->ring[(t->first + i) % AHEAD]);
	for (i = 0; i < t->n; i++)
		discard_target(t->all[i]);
	free(t->all);
	mix_release(&t->mix);
	free(t->title);
	free(t);
}

static void
keep_target(struct targets *t, struct target *target)
{
	t->all = xgrow(t->all, t->n, &t->cap, sizeof(*t->all));
	t->all[t->n++] = target;
	if (t->title == NULL)
		t->title = url_mask(target->url.source.p);
}

struct targets *
targets_of_urls(char *const *urls, int n, const struct target_defaults *d,
    struct why *why)
{
	struct targets *t = make_targets(URLS, d);
	struct target *target;
	struct why inner = { .text = "" };
	char *masked;
	int i;

	for (i = 0; i < n; i++) {
		target = xcalloc(1, sizeof(*target));
		if (target_set_url(target, span_of(urls[i]), d, &inner) == 0
		    && target_complete(target, d, &inner) == 0) {
			keep_target(t, target);
			continue;
		}
		discard_target(target);
		masked = url_mask(urls[i]);
		(void)why_set(why, "%.200s: %s", masked, inner.text);
		free(masked);
		targets_free(t);
		return NULL;
	}
	return t;
}

/* The turns of all that the file has. */
static int
make_mix(struct targets *t, const char *file, struct why *why)
{
	int64_t *weights = xcalloc(t->n, sizeof(*weights));
	struct why inner = { .text = "" };
	size_t i;
	int status;

	for (i = 0; i < t->n; i++)
		weights[i] = t->all[i]->weight > 0 ? t->all[i]->weight : 1;
	status = mix_make(&t->mix, weights, t->n, &inner);
	free(weights);
	return status == 0 ? 0 : why_set(why, "%s: %s", file, inner.text);
}

static void
warn_doubtful(const struct target_reader *r, const char *name, int64_t line)
{
	if (r->is_doubtful)
		warnf("%s:%lld: only a comment; a weight is \"# weight: N\"",
		    name, (long long)line);
}

/* Read all of a file's targets. */
static int
read_file(struct targets *t, struct lines *l, struct why *why)
{
	struct target_reader r = { .defaults = &t->defaults };
	struct why inner = { .text = "" };
	enum lines_result result;
	struct target *done;
	struct span line;
	int status = 1;

	while (status > 0) {
		while ((result = lines_take(l, &line)) != LINES_MORE) {
			if (result == LINES_LONG)
				return why_set(why, "%s:%lld: "
				    LINES_LONG_WHY, l->name,
				    (long long)l->number);
			if (target_reader_take(&r, line, &done, &inner) < 0)
				return why_set(why, "%s:%lld: %s", l->name,
				    (long long)l->number, inner.text);
			warn_doubtful(&r, l->name, l->number);
			if (done != NULL)
				keep_target(t, done);
		}
		status = lines_fill(l, why);
	}
	if (status < 0)
		return -1;
	if (target_reader_end(&r, &done, why) < 0)
		return -1;
	if (done != NULL)
		keep_target(t, done);
	if (t->n == 0)
		return why_set(why, "%s: no targets", l->name);
	return make_mix(t, l->name, why);
}

/* Hand a target over, when there is room. */
static void
put_target(struct targets *t, struct target *target)
{
	(void)pthread_mutex_lock(&t->lock);
	t->is_empty = false;
	while (t->held == AHEAD && !t->must_stop)
		(void)pthread_cond_wait(&t->room, &t->lock);
	if (t->must_stop)
		discard_target(target);
	else
		t->ring[(t->first + t->held++) % AHEAD] = target;
	(void)pthread_mutex_unlock(&t->lock);
}

static void
note_bad(struct targets *t, int64_t line, const char *text)
{
	int64_t n;

	(void)pthread_mutex_lock(&t->lock);
	n = ++t->n_bad;
	(void)pthread_mutex_unlock(&t->lock);
	if (n <= SHOWN_BAD)
		warnf("stdin:%lld: %s", (long long)line, text);
}

static bool
must_stop(struct targets *t)
{
	bool stop;

	(void)pthread_mutex_lock(&t->lock);
	stop = t->must_stop;
	(void)pthread_mutex_unlock(&t->lock);
	return stop;
}

/* Hand it over, unless it has what only a file's targets have. */
static void
offer_target(struct targets *t, struct target *target, int64_t line)
{
	if (target->weight == 0) {
		put_target(t, target);
		return;
	}
	note_bad(t, line, "a weight: only in a file, not on stdin");
	discard_target(target);
}

static void
take_lines(struct targets *t, struct target_reader *r, struct lines *l)
{
	struct why why = { .text = "" };
	enum lines_result result;
	struct target *done;
	struct span line;

	while ((result = lines_take(l, &line)) != LINES_MORE) {
		if (result == LINES_LONG)
			note_bad(t, l->number, LINES_LONG_WHY);
		else if (target_reader_take(r, line, &done, &why) < 0)
			note_bad(t, l->number, why.text);
		else if (done != NULL)
			offer_target(t, done, l->number);
	}
}

/* The thread that reads stdin, as long as it takes. */
static void *
read_stream(void *ctx)
{
	struct targets *t = ctx;
	struct target_reader r = { .defaults = &t->defaults };
	struct why why = { .text = "" };
	struct target *done;
	struct lines l;
	struct pollfd p;

	lines_init(&l, NULL, 0);
	while (!must_stop(t)) {
		take_lines(t, &r, &l);
		/* Before the first read no input is open, but stdin is. */
		p = (struct pollfd){ .fd = lines_fd(&l), .events = POLLIN };
		if (p.fd < 0)
			p.fd = STDIN_FILENO;
		if (poll(&p, 1, POLL_MS) <= 0)
			continue;
		if (lines_fill(&l, &why) > 0)
			continue;
		take_lines(t, &r, &l);
		break;
	}
	if (target_reader_end(&r, &done, &why) < 0)
		note_bad(t, l.number, why.text);
	else if (done != NULL)
		offer_target(t, done, l.number);
	lines_release(&l);
	(void)pthread_mutex_lock(&t->lock);
	t->is_over = true;
	(void)pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* Signals are the main thread's, which counts them. */
static bool
start_reader(struct targets *t)
{
	sigset_t all, before;
	bool is_started;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	is_started = pthread_create(&t->reader, NULL, read_stream, t) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return is_started;
}

struct targets *
targets_of_file(const char *path, bool is_random,
    const struct target_defaults *d, struct why *why)
{
	bool is_stream = strcmp(path, "-") == 0;
	struct targets *t = make_targets(is_stream ? STREAM : is_random ?
	    FILE_RANDOM : FILE_IN_ORDER, d);
	char *files[] = { (char *)path };
	struct lines l;
	int status;

	if (is_stream) {
		t->title = xstrdup("stdin");
		t->is_empty = true;
		t->is_reading = start_reader(t);
		if (t->is_reading)
			return t;
		status = why_set(why, "cannot start the thread that reads "
		    "stdin");
	} else {
		lines_init(&l, files, 1);
		status = read_file(t, &l, why);
		lines_release(&l);
	}
	if (status == 0)
		return t;
	targets_free(t);
	return NULL;
}

int
targets_per_iteration(const struct targets *t)
{
	return t->source == URLS ? (int)t->n : 1;
}

static enum targets_result
take_held(struct targets *t, const struct target **target)
{
	enum targets_result result = TARGETS_LATER;

	(void)pthread_mutex_lock(&t->lock);
	if (t->held > 0) {
		*target = t->ring[t->first];
		t->first = (t->first + 1) % AHEAD;
		t->held--;
		(void)pthread_cond_signal(&t->room);
		result = TARGETS_ONE;
	} else if (t->is_over) {
		result = TARGETS_END;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return result;
}

enum targets_result
targets_take(struct targets *t, int request, struct dice *dice,
    const struct target **target)
{
	size_t i;

	switch (t->source) {
	case URLS:
		*target = t->all[request];
		break;
	case FILE_IN_ORDER:
		i = __atomic_fetch_add(&t->next, 1, __ATOMIC_RELAXED);
		*target = t->all[t->mix.turns[i % t->mix.n]];
		break;
	case FILE_RANDOM:
		i = (size_t)dice_range(dice, 0, (int64_t)t->mix.n - 1);
		*target = t->all[t->mix.turns[i]];
		break;
	case STREAM:
		return take_held(t, target);
	}
	return TARGETS_ONE;
}

void
targets_done(struct targets *t, const struct target *target)
{
	if (t->source == STREAM && target != NULL)
		discard_target((struct target *)target);
}

const char *
targets_title(const struct targets *t)
{
	return t->title;
}

bool
targets_were_none(struct targets *t)
{
	bool none;

	(void)pthread_mutex_lock(&t->lock);
	none = t->is_over && t->is_empty;
	(void)pthread_mutex_unlock(&t->lock);
	return none;
}

int64_t
targets_bad(const struct targets *t)
{
	return t->n_bad;
}
