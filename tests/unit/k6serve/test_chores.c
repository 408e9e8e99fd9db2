/* SPDX-License-Identifier: MIT */
/* Time-outs and retention, by clocks that a test sets. */
#include "k6serve/store/chores.h"

#include "base/num.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store/store_sweep.h"
#include "k6serve/store_fixture.h"
#include "tap.h"

#define HOUR (3600 * NS_PER_S)
#define YEAR (8766 * HOUR)
#define START (50 * YEAR)	/* Unix */

struct fixture {
	struct store *s;
	struct chores *c;
	struct chores_config config;
	struct chores_time now;
};

/* A server begins: two minutes to time out, an hour to keep. */
static void
begin(struct fixture *f)
{
	f->config = (struct chores_config){ .timeout_ns = 120 * NS_PER_S,
	    .keep_ns = HOUR };
	f->now = (struct chores_time){ START, 5 * HOUR, 6 * HOUR };
	f->s = open_new();
	f->c = chores_new(&f->config, &f->now);
}

/* Another process with the same database. */
static void
begin_again(struct fixture *f)
{
	struct why why;

	chores_free(f->c);
	store_close(f->s);
	f->s = store_open(path, asset(ASSET_SCHEMA), &why);
	f->c = chores_new(&f->config, &f->now);
}

static void
end(struct fixture *f)
{
	chores_free(f->c);
	close_and_remove(f->s);
}

static void
look(struct fixture *f)
{
	struct why why;

	CHECK(chores_do(f->c, f->s, &f->now, true, &why) == 0);
}

/* Time passes, with two looks in each second; the wall clock goes its way. */
static void
pass(struct fixture *f, int64_t seconds)
{
	int64_t i;

	for (i = 0; i < 2 * seconds; i++) {
		f->now.unix_ns += NS_PER_S / 2;
		f->now.awake_ns += NS_PER_S / 2;
		f->now.all_ns += NS_PER_S / 2;
		look(f);
	}
}

static int64_t
make(struct fixture *f)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}"),
	    .created_ns = f->now.unix_ns };
	struct why why;

	CHECK(store_run_add(f->s, &r, SPAN(""), &why) == STORE_DONE);
	return r.id;
}

static void
feed(struct fixture *f, int64_t run)
{
	struct store_batch b = { .owner = store_everybody, .run = run,
	    .step_s = 1, .now_ns = f->now.unix_ns };
	struct why why;

	CHECK(store_batch_add(f->s, &b, &why) == STORE_DONE);
}

static void
finish(struct fixture *f, int64_t run)
{
	struct store_run r = { .id = run, .run_status = RUN_FINISHED,
	    .results = SPAN("{}"), .ended_ns = f->now.unix_ns };
	struct why why;

	CHECK(store_run_end(f->s, store_everybody, &r, &why) == STORE_DONE);
}

static int
note_status(void *ctx, const struct store_run *r)
{
	*(int *)ctx = r->run_status;
	return 0;
}

/* Its state; 0: it is not there. */
static int
state(struct fixture *f, int64_t run)
{
	struct store_run_query q = { .owner = store_everybody, .id = run };
	struct why why;
	int status = 0;

	CHECK(store_runs(f->s, &q, note_status, &status, &why) == 0);
	return status;
}

static void
times_out(void)
{
	struct fixture f;
	int64_t silent, fed;
	int i;

	begin(&f);
	silent = make(&f);
	fed = make(&f);
	for (i = 0; i < 4; i++) {
		feed(&f, fed);
		pass(&f, 29);
	}
	CHECK(state(&f, silent) == RUN_RUNNING);
	pass(&f, 6);
	CHECK(state(&f, silent) == RUN_TIMED_OUT);
	CHECK(state(&f, fed) == RUN_RUNNING);
	feed(&f, silent);
	pass(&f, 100);
	CHECK(state(&f, silent) == RUN_RUNNING);
	CHECK(state(&f, fed) == RUN_TIMED_OUT);
	end(&f);
}

static void
steps_change_nothing(void)
{
	static const int64_t steps[] = { 3 * HOUR, -6 * HOUR, -30 * YEAR,
	    80 * YEAR, -44 * YEAR };
	struct fixture f;
	int64_t running, over, brief;
	size_t i;

	begin(&f);
	running = make(&f);
	over = make(&f);
	finish(&f, over);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		pass(&f, 1);
		f.now.unix_ns += steps[i];
		/* over before anything looked at it */
		brief = make(&f);
		finish(&f, brief);
		pass(&f, 2);
		CHECK(state(&f, running) == RUN_RUNNING);
		feed(&f, running);
		CHECK(state(&f, over) == RUN_FINISHED);
		CHECK(state(&f, brief) == RUN_FINISHED);
	}
	end(&f);
}

static void
absence_counts_not(void)
{
	struct fixture f;
	int64_t run;

	begin(&f);
	run = make(&f);
	pass(&f, 100);
	/* suspended, then stopped, for a day each */
	f.now.unix_ns += 48 * HOUR;
	f.now.all_ns += 48 * HOUR;
	f.now.awake_ns += 24 * HOUR;
	pass(&f, 10);
	CHECK(state(&f, run) == RUN_RUNNING);
	pass(&f, 12);
	CHECK(state(&f, run) == RUN_TIMED_OUT);
	end(&f);
}

static void
goes_when_old(void)
{
	struct fixture f;
	int64_t silent, over;

	begin(&f);
	silent = make(&f);
	pass(&f, 3000);
	over = make(&f);
	finish(&f, over);
	CHECK(state(&f, silent) == RUN_TIMED_OUT);
	/* an hour from its time-out, not from its data */
	pass(&f, 700);
	CHECK(state(&f, silent) == RUN_TIMED_OUT);
	pass(&f, 100);
	CHECK(state(&f, silent) == 0 && state(&f, over) == RUN_FINISHED);
	pass(&f, 2900);
	CHECK(state(&f, over) == 0);
	end(&f);
}

static void
outlives_restart(void)
{
	struct fixture f;
	int64_t over, running;

	begin(&f);
	over = make(&f);
	finish(&f, over);
	running = make(&f);
	f.now.unix_ns += HOUR / 2;
	begin_again(&f);
	pass(&f, 2);
	CHECK(state(&f, over) == RUN_FINISHED);
	f.now.unix_ns += 80 * YEAR;
	feed(&f, running);
	pass(&f, 100);
	CHECK(state(&f, over) == RUN_FINISHED);
	CHECK(state(&f, running) == RUN_RUNNING);
	pass(&f, HOUR / 2 / NS_PER_S);
	CHECK(state(&f, over) == 0);
	CHECK(state(&f, running) == RUN_TIMED_OUT);
	end(&f);
}

static void
makes_room(void)
{
	struct fixture f;
	int64_t silent, over[3];
	struct why why;
	int i;

	begin(&f);
	f.config.keep_ns = 0;
	f.config.keep_bytes = 1;
	begin_again(&f);
	silent = make(&f);
	f.now.unix_ns -= 9 * HOUR;
	for (i = 0; i < 3; i++)
		over[i] = make(&f);
	CHECK(store_sweep(f.s, INT64_MAX, &why) == 0);
	for (i = 2; i >= 0; i--) {
		finish(&f, over[i]);
		f.now.all_ns++;
		f.now.unix_ns -= HOUR;
		look(&f);
		CHECK(state(&f, over[i]) == 0);
		CHECK(store_sweep(f.s, INT64_MAX, &why) == 0);
	}
	pass(&f, 130);
	CHECK(state(&f, silent) == RUN_TIMED_OUT);
	pass(&f, 130);
	CHECK(state(&f, silent) == 0);
	end(&f);
}

/* Who fed a run may have waited for the server: it has time to come back. */
static void
waits_after_start(bool is_for_size)
{
	struct fixture f;
	struct why why;
	int64_t run;

	begin(&f);
	run = make(&f);
	pass(&f, 125);
	CHECK(state(&f, run) == RUN_TIMED_OUT);
	f.now.unix_ns += 3 * HOUR;
	if (is_for_size) {
		f.config.keep_ns = 0;
		f.config.keep_bytes = 1;
	}
	begin_again(&f);
	CHECK(store_sweep(f.s, INT64_MAX, &why) == 0);
	pass(&f, 119);
	CHECK(state(&f, run) == RUN_TIMED_OUT);
	pass(&f, 2);
	CHECK(state(&f, run) == 0);
	end(&f);
}

static void
spares_timed_out(void)
{
	waits_after_start(false);
	waits_after_start(true);
}

/* The first n whole minutes of a run from a second on have a sample, each. */
static void
feed_minutes(struct fixture *f, int64_t run, int64_t second, int n)
{
	static struct store_row rows[24 * 60];
	struct sink sink = { .type = METRIC_COUNTER };
	struct store_batch b = { .owner = store_everybody, .run = run,
	    .rows = rows, .n = (size_t)n, .step_s = 1, .max_series = 9,
	    .now_ns = f->now.unix_ns };
	struct why why;
	int i;

	sink_add(&sink, 1, second * NS_PER_S);
	for (i = 0; i < n; i++)
		rows[i] = (struct store_row){ SPAN("c"), METRIC_COUNTER,
		    SPAN(""), second + 60 * i, &sink, 0 };
	b.data = (struct store_extent){ second * NS_PER_S,
	    (second + 60 * (n - 1)) * NS_PER_S, second * NS_PER_S,
	    (second + 60 * (n - 1)) * NS_PER_S };
	CHECK(store_batch_add(f->s, &b, &why) == STORE_DONE);
}

/* A look, and all that it chooses. */
static void
roll_up(struct fixture *f)
{
	struct why why;

	look(f);
	while (chores_roll_up(f->c, f->s, INT64_MAX, &why) > 0)
		;
}

struct rolled_run {
	int64_t run;
	struct store_rolled to;
	bool is_rolling;
};

static int
note_rolled(void *ctx, const struct store_run_state *r)
{
	struct rolled_run *of = ctx;

	if (r->run == of->run)
		*of = (struct rolled_run){ r->run, r->rolled,
		    r->is_rolling };
	return 0;
}

static bool
is_rolled(struct fixture *f, int64_t run, int64_t tens_to, int64_t minutes_to)
{
	struct rolled_run of = { .run = run };
	struct why why;

	CHECK(store_run_states(f->s, false, note_rolled, &of, &why) == 0);
	return !of.is_rolling && of.to.tens_to == tens_to &&
	    of.to.minutes_to == minutes_to;
}

/* The seconds of a run that goes on have their own age; what was uploaded just
 * now has none, nor has what a clock that is fast told. */
static void
rolls_up_running(void)
{
	const int64_t start = START / NS_PER_S / 3600 * 3600, hour = 3600;
	struct fixture f;
	int64_t live, old, fast;

	begin(&f);
	f.config.keep_ns = 0;
	f.config.timeout_ns = YEAR;
	f.config.tens_ns = HOUR;
	f.config.minutes_ns = 3 * HOUR;
	begin_again(&f);
	f.now.unix_ns = start * NS_PER_S;
	live = make(&f);
	old = make(&f);
	fast = make(&f);
	feed_minutes(&f, live, start, 60);
	feed_minutes(&f, old, start - 9 * hour, 500);
	feed_minutes(&f, fast, start + 99 * hour, 1);
	roll_up(&f);
	CHECK(is_rolled(&f, live, 0, 0) && is_rolled(&f, old, 0, 0));

	f.now.unix_ns += 2 * HOUR;
	f.now.awake_ns += 2 * HOUR;
	f.now.all_ns += 2 * HOUR;
	feed_minutes(&f, live, start + hour, 61);
	roll_up(&f);
	CHECK(is_rolled(&f, live, start + hour, 0));
	CHECK(is_rolled(&f, fast, 0, 0));
	/* 20 minutes before the last of 500 */
	CHECK(is_rolled(&f, old, start - 9 * hour + 440 * 60 - 60, 0));
	/* a minute more is too little to begin with */
	feed_minutes(&f, live, start + 2 * hour + 60, 1);
	roll_up(&f);
	CHECK(is_rolled(&f, live, start + hour, 0));

	f.now.unix_ns += 3 * HOUR;
	f.now.awake_ns += 3 * HOUR;
	f.now.all_ns += 3 * HOUR;
	feed_minutes(&f, live, start + 2 * hour, 181);
	roll_up(&f);
	CHECK(is_rolled(&f, live, start + hour, start + 2 * hour));
	roll_up(&f);
	CHECK(is_rolled(&f, live, start + 4 * hour, start + 2 * hour));
	finish(&f, live);
	look(&f);
	f.now.all_ns += 4 * HOUR;
	roll_up(&f);
	CHECK(is_rolled(&f, live, start + 4 * hour, start + 5 * hour + 60));
	end(&f);
}

/* A run of one sample, which is over, and so is rolled up to tens_to. */
static void
roll_up_one(struct fixture *f, int64_t ns, int64_t tens_to)
{
	int64_t run = make(f);
	struct sink sink = { .type = METRIC_COUNTER };
	struct store_row row = { SPAN("c"), METRIC_COUNTER, SPAN(""),
	    num_floor_div(ns, NS_PER_S), &sink, 0 };
	struct store_batch b = { .owner = store_everybody, .run = run,
	    .rows = &row, .n = 1, .step_s = 1, .max_series = 9,
	    .now_ns = f->now.unix_ns, .data = { ns, ns, ns, ns } };
	struct why why;

	sink_add(&sink, 1, ns);
	CHECK(store_batch_add(f->s, &b, &why) == STORE_DONE);
	finish(f, run);
	look(f);
	f->now.all_ns += 2 * HOUR;
	roll_up(f);
	CHECK(is_rolled(f, run, tens_to, 0));
}

/* The minute of a sample is the one that it lies in. */
static void
rolls_up_before_1970(void)
{
	struct fixture f;

	begin(&f);
	f.config.keep_ns = 0;
	f.config.tens_ns = HOUR;
	begin_again(&f);
	roll_up_one(&f, -120 * NS_PER_S - 1, -120);
	roll_up_one(&f, -120 * NS_PER_S, -60);
	roll_up_one(&f, -1, 60);	/* 0 is no end */
	roll_up_one(&f, 1, 60);
	end(&f);
}

int
main(void)
{
	test("a run times out by silence, data opens it again", times_out);
	test("steps of the wall clock change no state", steps_change_nothing);
	test("silence while the server was away does not count",
	    absence_counts_not);
	test("a run goes when it was over for long enough", goes_when_old);
	test("runs of former processes go by the clock of the start",
	    outlives_restart);
	test("past the size the oldest go, a timed out one not at once",
	    makes_room);
	test("after a start one that timed out waits for its pushers",
	    spares_timed_out);
	test("the seconds of a run that goes on are rolled up by their age",
	    rolls_up_running);
	test("before 1970, too, a run is rolled up by whole minutes",
	    rolls_up_before_1970);
	return tap_end();
}
