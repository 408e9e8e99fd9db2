/* SPDX-License-Identifier: MIT */
/* The store with a real database: a run, and what it has beside its rows. */
#include "k6serve/store/store_run.h"

#include "k6serve/store/store_instance.h"
#include "k6serve/store/store_load_test.h"
#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_sweep.h"
#include "k6serve/store_runs_fixture.h"

static void
ends(void)
{
	struct store *s = open_new();
	struct store_run end = { .results = SPAN("{}"),
	    .run_status = RUN_FINISHED };
	struct seen seen = { 0 };
	struct why why;

	end.id = new_run(s, SPAN(""));
	CHECK(put(s, end.id, "b", 1, 10) == STORE_DONE);
	CHECK(store_run_end(s, ANY, &end, &why) == STORE_DONE);
	end.run_status = RUN_ABORTED_BY_USER;
	CHECK(store_run_end(s, ANY, &end, &why) == STORE_ENDED);
	CHECK(put(s, end.id, "b", 1, 10) == STORE_DUPLICATE);
	CHECK(put(s, end.id, "c", 1, 10) == STORE_ENDED);
	CHECK(put(s, end.id, "", 1, 10) == STORE_ENDED);
	CHECK(walk_runs(s, 0, see_run, &seen) == 0);
	CHECK(seen.run_status == RUN_FINISHED && seen.requests == 1);
	close_and_remove(s);
}

static int
see_note(void *ctx, const struct store_run *r)
{
	*(bool *)ctx = span_is(r->note, "why \"x\"") &&
	    span_is(r->agent, "k6cloud/0.48.0");
	return 0;
}

static void
edits(void)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}"),
	    .agent = SPAN("k6cloud/0.48.0"), .created_ns = 5 };
	struct store *s = open_new();
	struct seen seen = { 0 };
	struct why why;
	bool is_noted = false;

	CHECK(store_run_add(s, &r, SPAN(""), &why) == STORE_DONE);
	CHECK(put(s, r.id, "a", 3, 1) == STORE_DONE);
	CHECK(store_run_note(s, ANY, r.id, SPAN("why \"x\""), &why) ==
	    STORE_DONE);
	CHECK(walk_runs(s, r.id, see_note, &is_noted) == 0);
	CHECK(is_noted);
	CHECK(store_run_note(s, ANY, r.id + 1, SPAN(""), &why) == STORE_NO_RUN);
	CHECK(store_run_remove(s, ANY, r.id, &why) == STORE_DONE);
	CHECK(store_run_remove(s, ANY, r.id, &why) == STORE_NO_RUN);
	CHECK(walk_runs(s, 0, see_run, &seen) == 0 && seen.n == 0);
	CHECK(store_sweep(s, INT64_MAX, &why) == 0);
	CHECK(run_script("CREATE TEMP TABLE zero(n CHECK (n = 0));"
	    "INSERT INTO zero SELECT count(*) FROM point;"
	    "INSERT INTO zero SELECT count(*) FROM series;"
	    "INSERT INTO zero SELECT count(*) FROM tagset;"
	    "INSERT INTO zero SELECT count(*) FROM batch;"
	    "INSERT INTO zero SELECT count(*) FROM slow") == 0);
	close_and_remove(s);
}

struct slowest {
	int n;
	int64_t first, last;
};

static int
see_slow(void *ctx, const struct store_slow *slow)
{
	struct slowest *all = ctx;

	if (all->n++ == 0)
		all->first = slow->ns[TIMING_DURATION];
	all->last = slow->ns[TIMING_DURATION];
	CHECK(span_is(slow->tags, "{}") && slow->failed == -1);
	return 0;
}

static void
keeps_the_slowest(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("")), i;
	struct store_slow slow = { .failed = -1, .tags = SPAN("{}") };
	struct store_batch b = { .run = run, .slow = &slow, .n_slow = 1 };
	struct store_slow_query q = { ANY, run };
	struct slowest seen = { 0 };
	struct why why;

	for (i = 0; i < 3 * STORE_SLOW; i++) {
		slow.ns[TIMING_DURATION] = i * 7919 % (3 * STORE_SLOW);
		CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	}
	CHECK(store_slowest(s, &q, see_slow, &seen, &why) == 0);
	CHECK(seen.n == STORE_SLOW && seen.first == 3 * STORE_SLOW - 1);
	CHECK(seen.last == 2 * STORE_SLOW);
	close_and_remove(s);
}

static int
see_instance(void *ctx, const struct store_instance *i)
{
	char *seen = ctx;
	size_t n = strlen(seen);

	(void)snprintf(seen + n, 80 - n, "%.*s %d %d %.*s;", (int)i->name.n,
	    i->name.p, i->run_status, i->result_status, (int)i->results.n,
	    i->results.p);
	return 0;
}

static void
instances(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("k"));
	struct store_instance i = { .run = run, .name = SPAN("b"),
	    .run_status = RUN_RUNNING, .results = SPAN("{}") };
	struct store_instance_query q = { ANY, run };
	char seen[80] = "";
	struct why why;

	CHECK(store_instance_put(s, ANY, &i, &why) == STORE_DONE);
	i.name = SPAN("a");
	CHECK(store_instance_put(s, ANY, &i, &why) == STORE_DONE);
	i.run_status = RUN_FINISHED;
	i.result_status = 1;
	i.results = SPAN("{1}");
	CHECK(store_instance_put(s, ANY, &i, &why) == STORE_DONE);
	CHECK(store_instances(s, &q, see_instance, seen, &why) == 0);
	CHECK_TEXT(seen, "a 3 1 {1};b 2 0 {};");
	CHECK(store_run_remove(s, ANY, run, &why) == STORE_DONE);
	seen[0] = '\0';
	CHECK(store_instances(s, &q, see_instance, seen, &why) == 0);
	CHECK_TEXT(seen, "");
	close_and_remove(s);
}

/* A name, and the id of one that has it. */
static void
put_namesake(struct store *s, struct store_instance *i, struct span id,
    int run_status)
{
	struct why why;

	i->id = id;
	i->run_status = run_status;
	CHECK(store_instance_put(s, ANY, i, &why) == STORE_DONE);
}

static void
namesakes(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("k"));
	struct store_instance i = { .run = run, .name = SPAN("a"),
	    .results = SPAN("{}") };
	struct store_instance_query q = { ANY, run };
	char seen[80] = "";
	struct why why;

	i.name = SPAN("aa");
	put_namesake(s, &i, SPAN("1"), RUN_RUNNING);
	i.name = SPAN("a");
	put_namesake(s, &i, SPAN("1"), RUN_RUNNING);
	CHECK(store_instance_namesakes(s, &i, &why) == 0);
	put_namesake(s, &i, SPAN("2"), RUN_RUNNING);
	CHECK(store_instance_namesakes(s, &i, &why) == 1);
	/* One that has ended goes when a third comes, not by what is known. */
	put_namesake(s, &i, SPAN("1"), RUN_ABORTED_BY_USER);
	put_namesake(s, &i, SPAN("2"), RUN_RUNNING);
	CHECK(store_instance_namesakes(s, &i, &why) == 0);
	CHECK(store_instances(s, &q, see_instance, seen, &why) == 0);
	CHECK_TEXT(seen, "a 5 0 {};a 2 0 {};aa 2 0 {};");
	seen[0] = '\0';
	put_namesake(s, &i, SPAN(""), RUN_FINISHED);
	CHECK(store_instance_namesakes(s, &i, &why) == 1);
	CHECK(store_instances(s, &q, see_instance, seen, &why) == 0);
	CHECK_TEXT(seen, "a 3 0 {};a 2 0 {};aa 2 0 {};");
	close_and_remove(s);
}

static int
count_test(void *ctx, const struct store_load_test *t)
{
	int *n = ctx;

	CHECK(t->id > 0 && t->project == 7);
	(*n)++;
	return 0;
}

static int
tests_of(struct store *s, const char *owner, int64_t project,
    struct span name)
{
	struct store_load_test_query q = { owner, project, name };
	struct why why;
	int n = 0;

	CHECK(store_load_tests(s, &q, count_test, &n, &why) == 0);
	return n;
}

static void
load_tests(void)
{
	struct store *s = open_new();
	struct store_load_test t = { .project = 7, .name = SPAN("a"),
	    .owner = SPAN("ann") };
	struct store_load_test found = { .project = 0 };
	struct buf name = { 0 };
	struct why why;

	CHECK(store_load_test_add(s, "ann", &t, &why) == STORE_DONE);
	found.id = t.id;
	CHECK(store_load_test_add(s, "ann", &t, &why) == STORE_CONFLICT);
	/* ben may have that name too */
	CHECK(tests_of(s, "ben", 7, SPAN("a")) == 0);
	CHECK(store_load_test_get(s, "ben", &found, &name, &why) ==
	    STORE_NO_RUN);
	t.owner = SPAN("ben");
	CHECK(store_load_test_add(s, "ben", &t, &why) == STORE_DONE);
	CHECK(tests_of(s, "ben", 7, SPAN("a")) == 1);
	CHECK(tests_of(s, ANY, 7, SPAN("")) == 2);
	CHECK(tests_of(s, ANY, 8, SPAN("")) == 0);
	CHECK(store_load_test_get(s, ANY, &found, &name, &why) ==
	    STORE_DONE);
	CHECK(span_is(found.name, "a") && found.project == 7);
	buf_release(&name);
	close_and_remove(s);
}

static void
started(void)
{
	struct store *s = open_new();
	struct store_load_test t = { .project = 7, .name = SPAN("a") };
	struct store_started r = { .run = new_run(s, SPAN("k")) }, other = r;
	struct buf owner = { 0 };
	struct why why;

	CHECK(store_load_test_add(s, ANY, &t, &why) == STORE_DONE);
	CHECK(store_started_get(s, ANY, &other, &owner, &why) == 0);
	r.load_test = t.id;
	memset(r.hash, 'x', sizeof(r.hash));
	CHECK(store_started_put(s, &r, &why) == STORE_DONE);
	r.hash[0] = 'y';
	CHECK(store_started_put(s, &r, &why) == STORE_DONE);
	CHECK(store_started_get(s, ANY, &other, &owner, &why) == 1);
	CHECK(other.load_test == t.id && memcmp(other.hash, r.hash,
	    STORE_DIGEST) == 0);
	CHECK(store_run_remove(s, ANY, r.run, &why) == STORE_DONE);
	CHECK(store_started_get(s, ANY, &other, &owner, &why) == 0);
	buf_release(&owner);
	close_and_remove(s);
}

int
main(void)
{
	test("a run that ended stays as it is", ends);
	test("a run is noted and removed", edits);
	test("the slowest requests stay", keeps_the_slowest);
	test("instances of a run keep their last state", instances);
	test("those of one name are apart, and the ended go", namesakes);
	test("a load test is its owner's, once by its name", load_tests);
	test("a started run has one token, which goes with it", started);
	return tap_end();
}
