/* SPDX-License-Identifier: MIT */
#include "k6gen/profile.c"

#include "tap.h"

#define S NS_PER_S

static struct profile p;
static struct why why;
static double rate;

static bool
stages(const char *text)
{
	profile_release(&p);
	return profile_parse_stages(&p, text, 1, &why) == 0;
}

static bool
rates(const char *text)
{
	profile_release(&p);
	rate = 0;
	return profile_parse_rate(&p, text, &rate, &why) == 0;
}

static void
test_stages(void)
{
	CHECK(stages("10s:21,5s:21,0s:5,1m:0"));
	CHECK(p.n == 4 && profile_duration(&p) == 75 * S);
	CHECK(profile_at(&p, 0) == 1);
	CHECK(profile_at(&p, 5 * S) == 11);
	CHECK(profile_at(&p, 12 * S) == 21);
	CHECK(profile_at(&p, 15 * S) == 5);
	CHECK(profile_at(&p, 45 * S) == 2.5);
	CHECK(profile_at(&p, 75 * S) == 0);
	CHECK(profile_max(&p) == 21);
	CHECK(profile_parse_stages(&p, "1s:7", 1, &why) == 0);
	CHECK(p.stages[4].from == 0 && p.stages[4].to == 7);
}

static void
test_constant(void)
{
	CHECK(rates("500") && rate == 500 && p.n == 0);
	CHECK(rates("500/s") && rate == 500);
	CHECK(rates("100rps") && rate == 100);
	CHECK(rates("100/sec") && rate == 100);
	CHECK(!rates("rps"));
	CHECK(!rates("5xrps"));
	CHECK(rates("30/m") && rate == 0.5);
	CHECK(rates("100/10s") && rate == 10);
	CHECK(rates("0.5/ms") && rate == 500);
}

static void
test_rates(void)
{
	CHECK(rates("0..500/60s,500/5m,0/10s") && p.n == 3);
	CHECK(profile_at(&p, 30 * S) == 250);
	CHECK(profile_at(&p, 200 * S) == 500);
	CHECK(profile_at(&p, 365 * S) == 250);
	CHECK(profile_sum(&p, 60 * S) == 15000);
	CHECK(profile_sum(&p, 360 * S) == 165000);
	CHECK(profile_sum(&p, 1000 * S) == 167500);
	CHECK(rates("100/2s,0/2s") && profile_at(&p, S) == 100);
}

/* Each start's time, put back into the integral, gives its number. */
static void
test_when(void)
{
	int64_t ns, before = -1;
	double n;

	CHECK(rates("0..500/6s,500/3s,10/10s"));
	for (n = 0; n < profile_sum(&p, 100 * S); n++) {
		ns = profile_when(&p, n);
		CHECK(ns > before && ns < 19 * S);
		CHECK(fabs(profile_sum(&p, ns) - n) < 1e-5);
		before = ns;
	}
	CHECK(n == 1500 + 1500 + 2550);
	CHECK(profile_when(&p, n) == INT64_MAX);
	CHECK(rates("500..500/10s") && profile_when(&p, 1) == 2 * NS_PER_MS);
	CHECK(profile_when(&p, 4999) == 9998 * NS_PER_MS);
	CHECK(profile_when(&p, 5000) == INT64_MAX);
}

static void
test_gap(void)
{
	CHECK(rates("10/1s,0..0/1s,10..10/1s"));
	CHECK(profile_when(&p, 16) > 2 * S - 1);
}

static void
test_refused(void)
{
	static const char *const bad_stages[] = { "", "10s", "10s:", ":5",
		"10:5", "10s:-1", "10s:1.5", "10s:5,", "x:5", "10s:5:6" };
	static const char *const bad_rates[] = { "", "0", "-5/s", "x", "5/",
		"5/0s", "5/parsec", "0..5", "0..5/", "..5/1s", "5/1s,",
		"5/1s,6", "1e99" };
	size_t i;

	for (i = 0; i < sizeof(bad_stages) / sizeof(bad_stages[0]); i++)
		CHECK(!stages(bad_stages[i]));
	for (i = 0; i < sizeof(bad_rates) / sizeof(bad_rates[0]); i++)
		CHECK(!rates(bad_rates[i]));
	/* A year, which has 365 days. */
	CHECK(stages("8759h59m59s:1") && !stages("8760h:1"));
}

int
main(void)
{
	test("stages are straight lines from target to target", test_stages);
	test("a constant rate is a number for each unit of time",
	    test_constant);
	test("rates ramp, hold and jump", test_rates);
	test("each start has its time, and no other", test_when);
	test("a stage of rate 0 starts nothing", test_gap);
	test("what is no profile is refused", test_refused);
	profile_release(&p);
	return tap_end();
}
