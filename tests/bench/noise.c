/* SPDX-License-Identifier: MIT */
/*
 * noise SEED RUN SLOWER [SECONDS RATE]: a run of requests as k6 writes them,
 * with the noise that equal runs have. SLOWER is what the 95th percentile is
 * multiplied with: the slow sixth of requests is, the faster half is not, and
 * between the two by degrees. SEED and RUN decide all numbers.
 *
 * Noise: latencies are log-normal (p95 is 1.9 times the median). The first
 * seconds are slower. The level changes from second to second, and remembers
 * (AR(1), 0.7, 4 %). About each minute there is a burst of 1 to 3 s, in which
 * one request of seven takes 1.5 to 2.5 times as long and more fail. A run
 * drifts by some 2 % from its beginning to its end, and runs differ by 0.7 %.
 * The rate varies by 2 %.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state;

static double
uniform(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

static const struct {
	const char *name;
	double upto, factor;
} pages[] = { { "/", 0.6, 1 }, { "/search", 0.9, 1.5 }, { "/cart", 1, 0.6 } };

static void
put(const char *metric, double time, double value, const char *tags)
{
	int64_t us = (int64_t)(time * 1e6);

	printf("{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":"
	    "\"2026-01-01T00:%02d:%02d.%06dZ\",\"value\":%.6g,"
	    "\"tags\":{%s}}}\n",
	    metric, (int)(us / 60000000), (int)(us / 1000000 % 60),
	    (int)(us % 1000000), value, tags);
}

static void
request(double time, double level, int in_burst, double slower)
{
	double pick = uniform(), z = normal(), ms;
	int page = pick < pages[0].upto ? 0 : pick < pages[1].upto ? 1 : 2;
	int failed = uniform() < (in_burst ? 0.01 : 0.002);
	char tags[160];

	ms = 80 * pages[page].factor * level * exp(0.4 * z);
	if (z > 0)
		ms *= z < 1 ? 1 + (slower - 1) * z : slower;
	if (in_burst && uniform() < 0.14)
		ms *= 1.5 + uniform();
	snprintf(tags, sizeof(tags), "\"name\":\"%s\",\"method\":\"GET\","
	    "\"status\":\"%s\",\"expected_response\":\"%s\"",
	    pages[page].name, failed ? "503" : "200",
	    failed ? "false" : "true");
	put("http_reqs", time, 1, tags);
	put("http_req_failed", time, failed, tags);
	put("http_req_duration", time, failed ? ms / 4 : ms, tags);
}

int
main(int argc, char **argv)
{
	double slower, base, slope, ar = 0, burst = 0, level;
	int seconds, rate, s, i, n;

	if (argc < 4)
		return 2;
	state = strtoull(argv[1], NULL, 10) * 1000003u +
	    strtoull(argv[2], NULL, 10);
	slower = atof(argv[3]);
	seconds = argc > 4 ? atoi(argv[4]) : 300;
	rate = argc > 5 ? atoi(argv[5]) : 100;
	for (i = 0; i < 10; i++)
		uniform();
	base = 0.007 * normal();
	slope = 0.02 * normal();
	for (s = 0; s < seconds; s++) {
		ar = 0.7 * ar + 0.04 * sqrt(1 - 0.49) * normal();
		if (burst <= 0 && uniform() < 1 / 60.0)
			burst = 1 + 2 * uniform();
		level = exp(base + slope * ((double)s / seconds - 0.5) + ar +
		    0.5 * exp(-s / 2.0));
		n = (int)lround(rate * (1 + 0.02 * normal()));
		for (i = 0; i < n; i++)
			request(s + (i + uniform()) / (n + 1), level,
			    burst > 0, slower);
		burst -= 1;
	}
	return 0;
}
