/* SPDX-License-Identifier: MIT */
/* Times silent runs out, rolls up old seconds, and removes old runs. */
#include "k6serve/store/chores.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/store/store_roll_up.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store/store_sweep.h"

/* A longer time between two looks is one in which the server was away: stopped,
 * or waiting for a disk. Nobody could be heard then. */
#define LOOK_NS NS_PER_S

enum {
	ROLLING = 16,		/* runs that are rolled up between two looks */
	/* In a running run old seconds are rolled up in portions: an eighth
	 * of the age, between a minute and an hour. */
	PORTION_LEAST_S = STORE_ROLLED_S,
	PORTION_MOST_S = 3600,
	PORTIONS = 8,
};

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
	struct store_roll_up rolling[ROLLING];	/* the first n_rolling */
	int n_rolling;
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
see_running(void *ctx, const struct store_run_state *r)
{
	struct look *k = ctx;
	struct life *l = find_life(k->c, r->run);

	if (l == NULL || l->seen_ns != r->seen_ns)
		l = touch(k->c, r->run, k->now);
	l->seen_ns = r->seen_ns;
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

/* The pushers of a run that timed out may only be cut off. Lack of room alone
 * removes it only after another time-out; and after a start of the server, for
 * which the pushers may have waited, nothing removes it before that. */
static bool
is_spared(const struct chores *c, const struct life *l, int run_status,
    int64_t age_ns, bool is_old)
{
	if (run_status != RUN_TIMED_OUT)
		return false;
	if (l == NULL)
		return c->hearing_ns <= c->config.timeout_ns;
	return !is_old && l->out_ns != 0 && age_ns <= c->config.timeout_ns;
}

/* Up to which second a running run is old enough; 0: none, or fewer than a
 * portion. The age of a second is counted from the last one of the run, and is
 * no more than the time since the run was made here. */
static int64_t
old_of_running(const struct chores *c, const struct store_run_state *r,
    const struct chores_time *now, int64_t done, int64_t after_ns)
{
	int64_t now_ns = c->start.unix_ns + (now->all_ns - c->start.all_ns);
	int64_t last_ns = r->last_ns < now_ns ? r->last_ns : now_ns;
	int64_t least = after_ns / NS_PER_S / PORTIONS, until;

	if (r->first_ns == 0 || now_ns - r->created_ns <= after_ns)
		return 0;
	if (least > PORTION_MOST_S)
		least = PORTION_MOST_S;
	if (least < PORTION_LEAST_S)
		least = PORTION_LEAST_S;
	if (done == 0)
		done = num_floor_to(num_floor_div(r->first_ns, NS_PER_S),
		    STORE_ROLLED_S);
	until = num_floor_to(num_floor_div(last_ns, NS_PER_S) -
	    after_ns / NS_PER_S, STORE_ROLLED_S);
	return until - done >= least ? until : 0;
}

/* Up to which second of the run points are to have a step that they do not
 * have, as that is so old; 0: none. */
static int64_t
old_of(const struct chores *c, const struct store_run_state *r,
    const struct chores_time *now, int64_t age_ns, int64_t step_s,
    int64_t after_ns)
{
	int64_t done = store_rolled_to(&r->rolled, step_s), until;

	if (after_ns == 0)
		return 0;
	if (r->run_status == RUN_RUNNING)
		return old_of_running(c, r, now, done, after_ns);
	until = num_floor_to(num_floor_div(r->last_ns, NS_PER_S),
	    STORE_ROLLED_S) + STORE_ROLLED_S;
	until = until != 0 ? until : STORE_ROLLED_S;	/* 0 is no end */
	return age_ns > after_ns && r->first_ns != 0 && (done == 0 ||
	    done < until) ? until : 0;
}

static void
add_rolling(struct chores *c, int64_t run, int64_t step_s, int64_t until)
{
	int i;

	for (i = 0; i < c->n_rolling && c->rolling[i].run != run; i++)
		;
	if (i == c->n_rolling && i < ROLLING)
		c->rolling[c->n_rolling++] = (struct store_roll_up){
		    .run = run, .step_s = step_s, .until = until };
}

/* Let the run be rolled up, if some of it is old enough for steps that its
 * points do not have, or that was begun. */
static void
choose_roll_up(struct chores *c, const struct store_run_state *r,
    const struct chores_time *now, int64_t age_ns)
{
	int64_t until = old_of(c, r, now, age_ns, STORE_MINUTES_S,
	    c->config.minutes_ns);

	if (until != 0) {
		add_rolling(c, r->run, STORE_MINUTES_S, until);
		return;
	}
	until = old_of(c, r, now, age_ns, STORE_TENS_S, c->config.tens_ns);
	if (until != 0)
		add_rolling(c, r->run, STORE_TENS_S, until);
	else if (r->is_rolling)
		add_rolling(c, r->run, 0, 0);
}

/* Is any of the run to be rolled up? If it is not running: may it go, and is it
 * older than the others that may? */
static int
see_any(void *ctx, const struct store_run_state *r)
{
	struct look *k = ctx;
	struct chores *c = k->c;
	struct life *l = find_life(c, r->run);
	int64_t age = age_of(c, l, r->seen_ns, k->now);
	bool is_old = c->config.keep_ns != 0 && age > c->config.keep_ns;
	bool may_go = (is_old || k->is_too_large) &&
	    r->run_status != RUN_RUNNING &&
	    !is_spared(c, l, r->run_status, age, is_old);

	if (l != NULL)
		l->look = c->look;
	if (may_go && (k->run == 0 || age > k->age_ns)) {
		k->run = r->run;
		k->age_ns = age;
		k->is_old = is_old;
	}
	if (!may_go)
		choose_roll_up(c, r, k->now, age);
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
	if (store_run_states(s, false, see_any, &k, why) < 0)
		return -1;
	if (k.run == 0)
		return 0;
	result = store_run_retire(s, k.run, why);
	if (result == STORE_DONE)
		warnf("run %lld was removed: %s", (long long)k.run, k.is_old ?
		    "it is older than --keep-for allows" :
		    "the data takes more than --keep-size");
	return result == STORE_DONE || result == STORE_NO_RUN ? 0 : -1;
}

int
chores_roll_up(struct chores *c, struct store *s, int64_t until_ns,
    struct why *why)
{
	int status;

	if (c->n_rolling == 0)
		return 0;
	status = store_roll_up(s, &c->rolling[0], until_ns, why);
	if (status <= 0)
		memmove(&c->rolling[0], &c->rolling[1],
		    (size_t)--c->n_rolling * sizeof(c->rolling[0]));
	return status < 0 ? -1 : c->n_rolling != 0;
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
    bool is_ours, struct why *why)
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
	    (is_ours && time_out(c, s, now, why) < 0))
		return -1;
	if (!is_ours)
		c->n_rolling = 0;
	if (is_ours && (c->config.keep_ns != 0 || c->config.keep_bytes != 0 ||
	    c->config.tens_ns != 0 || c->config.minutes_ns != 0) &&
	    retain(c, s, now, why) < 0)
		return -1;
	forget(c);
	return 0;
}
