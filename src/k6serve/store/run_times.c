/* SPDX-License-Identifier: MIT */
/* Finds the beginning and the end of a run in the times known of it. */
#include "k6serve/store/run_times.h"

#include "base/units.h"

static int64_t
middle(int64_t a, int64_t b)
{
	return (int64_t)(((__int128)a + b) / 2);
}

static int64_t
clamp(int64_t ns, int64_t least, int64_t most)
{
	return ns < least ? least : ns > most ? most : ns;
}

/* Was the run made before its data? What is uploaded later is not. */
static bool
is_live(const struct store_run *run)
{
	return run->created_ns <= run->data.inner_first_ns;
}

/* Or two that touch: what is between the middles would be nothing. */
static bool
is_one_bucket(const struct store_run *run)
{
	return run->data.inner_first_ns >= run->data.inner_last_ns;
}

/* Of the last samples: that of a run that goes on may be yet to come. */
static int64_t
end_of_data(const struct store_run *run)
{
	int64_t least = run->data.inner_last_ns, most = run->data.last_ns;

	if (!is_live(run))
		return is_one_bucket(run) ? most : middle(least, most);
	return clamp(run->ended_ns != 0 ? run->ended_ns : run->seen_ns,
	    least, most);
}

static int64_t
start_of_data(const struct store_run *run)
{
	int64_t least = run->data.first_ns, most = run->data.inner_first_ns;

	if (is_live(run))
		return clamp(run->created_ns, least, most);
	return is_one_bucket(run) ? least : middle(least, most);
}

struct run_times
run_times(const struct store_run *run)
{
	struct run_times t = { run->start_ns, run->end_ns };
	bool has_data = run->data.first_ns != 0;

	if (t.start_ns == 0)
		t.start_ns = has_data ? start_of_data(run) : run->created_ns;
	if (t.end_ns == 0)
		t.end_ns = has_data ? end_of_data(run) : t.start_ns;
	if (t.end_ns < t.start_ns)
		t.end_ns = t.start_ns;
	return t;
}

double
run_seconds(const struct store_run *run)
{
	struct run_times t = run_times(run);

	/* Two wrong clocks may be further apart than 64 bits of ns. */
	return (double)((__int128)t.end_ns - t.start_ns) / 1e9;
}
