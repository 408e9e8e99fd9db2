/* SPDX-License-Identifier: MIT */
/* Chooses the executor, and how many users run for how long. */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "k6gen/load/executor.h"
#include "k6gen/options/options.h"

enum { RATE_VUS = 1000 };

static int
set_stages(struct options *o)
{
	struct plan *p = &o->plan;
	struct why why;
	size_t i;

	p->executor = &executors[RAMPING_VUS];
	p->vus = o->vus > 0 ? (int)o->vus : 1;
	if (p->warm_up_ns > 0)
		profile_add(&p->profile, p->warm_up_ns, p->vus, p->vus);
	for (i = 0; i < o->stages.n; i++)
		if (profile_parse_stages(&p->profile, o->stages.items[i],
		    p->vus, &why) < 0)
			return opt_misuse("--stage: %s", why.text);
	p->max_vus = (int)profile_max(&p->profile);
	if (p->max_vus > 1000000)
		return opt_misuse("--stage: more than 1000000 users");
	p->duration_ns = profile_duration(&p->profile);
	if (p->max_vus == 0 || p->duration_ns == 0)
		return opt_misuse("--stage: no users, or no time");
	return OPT_CONTINUE;
}

static int
set_rate(struct options *o)
{
	struct plan *p = &o->plan;
	struct profile stages = { .n = 0 };
	struct why why;
	size_t i;

	if (profile_parse_rate(&stages, o->rates, &o->rate, &why) < 0) {
		profile_release(&stages);
		return opt_misuse("--rate: %s", why.text);
	}
	p->executor = &executors[o->rate > 0 ? CONSTANT_ARRIVAL_RATE :
	    RAMPING_ARRIVAL_RATE];
	if (o->rate > 0 && o->duration_ns < 0)
		return opt_misuse("--rate: needs --duration, or stages "
		    "(0..500/60s)");
	if (o->rate > 0)
		profile_add(&stages, o->duration_ns, o->rate, o->rate);
	else if (o->duration_ns >= 0) {
		profile_release(&stages);
		return opt_misuse("--rate and --duration: stages have their "
		    "own durations");
	}
	if (p->warm_up_ns > 0)
		profile_add(&p->profile, p->warm_up_ns, stages.stages[0].from,
		    stages.stages[0].from);
	for (i = 0; i < stages.n; i++)
		profile_add(&p->profile, stages.stages[i].end_ns -
		    stages.stages[i].begin_ns, stages.stages[i].from,
		    stages.stages[i].to);
	profile_release(&stages);
	p->duration_ns = profile_duration(&p->profile);
	p->max_vus = o->max_vus > 0 ? (int)o->max_vus :
	    o->vus > 0 ? (int)o->vus : RATE_VUS;
	p->vus = o->vus > 0 ? (int)o->vus : p->max_vus;
	if (p->duration_ns == 0 || profile_max(&p->profile) <= 0)
		return opt_misuse("--rate: no starts, or no time");
	return OPT_CONTINUE;
}

/* k6's derivation (PROTOCOL 8.1). */
int
options_set_executor(struct options *o)
{
	struct plan *p = &o->plan;

	if (o->stages.n > 0)
		return set_stages(o);
	if (o->rates != NULL)
		return set_rate(o);
	p->vus = p->max_vus = o->vus != 0 ? (int)o->vus : 1;
	p->duration_ns = o->duration_ns >= 0 ? o->duration_ns :
	    600 * NS_PER_S;
	if (o->per_vu > 0) {
		if (o->per_vu > INT64_MAX / p->vus)
			return opt_misuse("--per-vu-iterations: too many");
		p->executor = &executors[PER_VU_ITERATIONS];
		p->iterations = o->per_vu * p->vus;
	} else if (o->iterations == 0 && (o->duration_ns >= 0 ||
	    (o->targets != NULL && strcmp(o->targets, "-") == 0))) {
		p->executor = &executors[CONSTANT_VUS];
		/* The end of stdin is the run's. */
		if (o->duration_ns < 0)
			p->duration_ns = 365 * 24 * 3600 * NS_PER_S;
		p->duration_ns += p->warm_up_ns;
	} else {
		p->executor = &executors[o->iterations == 0 && o->vus == 0 ?
		    PER_VU_ITERATIONS : SHARED_ITERATIONS];
		p->iterations = o->iterations != 0 ? o->iterations : p->vus;
	}
	if (p->iterations > 0 && p->iterations < p->vus)
		return opt_misuse("--iterations: %lld is less than --vus %d",
		    (long long)p->iterations, p->vus);
	return OPT_CONTINUE;
}
