/* SPDX-License-Identifier: MIT */
/* Who is silent for too long, and what is old enough to go. */
#include "k6serve/store/chores.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store/store_sweep.h"

/* A longer time between two looks is one in which the server was away: stopped,
 * or waiting for a disk. Nobody could be heard then. */
#define LOOK_NS NS_PER_S

/* A run that was running, made, fed or ended in this process's life. */
struct life {
	int64_t run;
	int64_t seen_ns;	/* as the store has it; 0: not known */
	int64_t heard_ns;	/* when that changed, in time that we heard */
	int64_t touched_ns;	/* all_ns, when anything happened to it */
	int64_t out_ns;		/* all_ns, when it was timed out; 0: was not */
	int64_t look;		/* that last found it in the store */
};

struct chores {
	struct chores_config config;
	struct chores_time start;
	int64_t awake_ns;	/* of the last look */
	int64_t hearing_ns;	/* for how long those who push could be heard */
	int64_t look;		/* how many there were */
	struct life *lives;	/* in the order of their runs */
	size_t n, cap;
};

struct chores_time
chores_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (struct chores_time){ now_unix_ns(), now_monotonic_ns(),
	    t.tv_sec * NS_PER_S + t.tv_nsec };
}

struct chores *
chores_new(const struct chores_config *config, const struct chores_time *start)
{
	struct chores *c = xcalloc(1, sizeof(*c));

	c->config = *config;
	c->start = *start;
	c->awake_ns = start->awake_ns;
	return c;
}

void
chores_free(struct chores *c)
{
	if (c == NULL)
		return;
	free(c->lives);
	free(c);
}

/* Where the run is in c->lives, or would be. */
static size_t
place_of(const struct chores *c, int64_t run)
{
	size_t low = 0, high = c->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (c->lives[middle].run < run)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is known of the run; NULL: nothing happened to it. */
static struct life *
find_life(struct chores *c, int64_t run)
{
	size_t at = place_of(c, run);

	return at < c->n && c->lives[at].run == run ? &c->lives[at] : NULL;
}

/* Something happened to the run. */
static struct life *
touch(struct chores *c, int64_t run, const struct chores_time *now)
{
	size_t at = place_of(c, run);
	struct life *l;

	if (at == c->n || c->lives[at].run != run) {
		c->lives = xgrow(c->lives, c->n, &c->cap, sizeof(*l));
		memmove(&c->lives[at + 1], &c->lives[at],
		    (c->n - at) * sizeof(*l));
		c->lives[at] = (struct life){ .run = run };
		c->n++;
	}
	l = &c->lives[at];
	l->heard_ns = c->hearing_ns;
	l->touched_ns = now->all_ns;
	l->look = c->look;
	return l;
}

/* A look at the store. */
struct look {
	struct chores *c;
	const struct chores_time *now;
	bool is_too_large;	/* more data than may be */
	int64_t run, age_ns;	/* the one to remove; 0: none */
	bool is_old;		/* it goes for its age, not for its size */
};

/* A run that is running, and is heard of when its time changes. */
static int
see_running(void *ctx, int64_t run, int run_status, int64_t seen_ns)
{
	struct look *k = ctx;
	struct life *l = find_life(k->c, run);

	(void)run_status;
	if (l == NULL || l->seen_ns != seen_ns)
		l = touch(k->c, run, k->now);
	l->seen_ns = seen_ns;
	l->out_ns = 0;
	l->look = k->c->look;
	return 0;
}

/* Time out those that were not heard of for too long. */
static int
time_out(struct chores *c, struct store *s, const struct chores_time *now,
    struct why *why)
{
	enum store_result result;
	struct life *l;
	size_t i;

	for (i = 0; i < c->n; i++) {
		l = &c->lives[i];
		if (l->out_ns != 0 || l->seen_ns == 0 || l->look != c->look ||
		    c->hearing_ns - l->heard_ns <= c->config.timeout_ns)
			continue;
		result = store_run_time_out(s, l->run, l->seen_ns, why);
		if (result == STORE_DONE)
			l->out_ns = l->touched_ns = now->all_ns;
		else if (result != STORE_NO_RUN)
			return -1;
	}
	return 0;
}

/* How long ago a run was over; before the start that is what the wall clock
 * said then. */
static int64_t
age_of(const struct chores *c, const struct life *l, int64_t seen_ns,
    const struct chores_time *now)
{
	if (l != NULL)
		return now->all_ns - l->touched_ns;
	return c->start.unix_ns - seen_ns + (now->all_ns - c->start.all_ns);
}

/* A run that is not running: may it go, and is it older than the others that
 * may? One that was timed out gets as long again before lack of room alone
 * removes it: whoever feeds it may only be cut off. */
static int
see_other(void *ctx, int64_t run, int run_status, int64_t seen_ns)
{
	struct look *k = ctx;
	struct chores *c = k->c;
	struct life *l = find_life(c, run);
	int64_t age = age_of(c, l, seen_ns, k->now);
	bool is_old = c->config.keep_ns != 0 && age > c->config.keep_ns;
	bool may_go = is_old;

	if (l != NULL)
		l->look = c->look;
	if (k->is_too_large && !is_old)
		may_go = run_status != RUN_TIMED_OUT || l == NULL ||
		    l->out_ns == 0 || age > c->config.timeout_ns;
	if (may_go && (k->run == 0 || age > k->age_ns)) {
		k->run = run;
		k->age_ns = age;
		k->is_old = is_old;
	}
	return 0;
}

/* Remove the oldest run that may go, and say so. What earlier ones left takes
 * up room until it is swept. */
static int
retain(struct chores *c, struct store *s, const struct chores_time *now,
    struct why *why)
{
	struct look k = { .c = c, .now = now };
	int64_t size = store_size(s, why);
	enum store_result result;

	if (size < 0)
		return -1;
	k.is_too_large = c->config.keep_bytes != 0 &&
	    size > c->config.keep_bytes && !store_has_rest(s);
	if (store_run_states(s, false, see_other, &k, why) < 0)
		return -1;
	if (k.run == 0)
		return 0;
	result = store_run_remove(s, store_everybody, k.run, why);
	if (result == STORE_DONE)
		warnf("run %lld was removed: %s", (long long)k.run, k.is_old ?
		    "it is older than --keep-for allows" :
		    "the data takes more than --keep-size");
	return result == STORE_DONE || result == STORE_NO_RUN ? 0 : -1;
}

/* Forget the runs that this look did not find. */
static void
forget(struct chores *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		if (c->lives[i].look == c->look)
			c->lives[n++] = c->lives[i];
	c->n = n;
}

int
chores_do(struct chores *c, struct store *s, const struct chores_time *now,
    struct why *why)
{
	struct look k = { .c = c, .now = now };
	int64_t passed = now->awake_ns - c->awake_ns, *runs;
	size_t i, n = store_touched(s, &runs);

	c->look++;
	c->hearing_ns += passed < LOOK_NS ? passed : LOOK_NS;
	c->awake_ns = now->awake_ns;
	for (i = 0; i < n; i++)
		(void)touch(c, runs[i], now);
	free(runs);
	if (store_run_states(s, true, see_running, &k, why) < 0 ||
	    time_out(c, s, now, why) < 0)
		return -1;
	if ((c->config.keep_ns != 0 || c->config.keep_bytes != 0) &&
	    retain(c, s, now, why) < 0)
		return -1;
	forget(c);
	return 0;
}
