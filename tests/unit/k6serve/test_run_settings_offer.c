/* SPDX-License-Identifier: MIT */
/* What clients are offered, from options. */
#include "k6serve/ingest/run_settings_offer.c"

#include "tap.h"

/* The object that a client gets for these options. */
static bool
offers(const char *config, const char *log, const char *object)
{
	struct opt_list configs = { 0 }, logs = { 0 };
	struct offer offer = { .config = { 0 } };
	struct buf text = { 0 };
	struct jsn_out o = { .to = &text };
	struct why why = { .text = "" };
	bool is_it;

	if (config != NULL)
		opt_list_add(&configs, config);
	if (log != NULL)
		opt_list_add(&logs, log);
	if (offer_set(&offer, &configs, &logs, &why) == 0) {
		jsn_open(&o, '{');
		offer_put_config(&offer, &o);
		offer_put_logs(&offer, &o);
		jsn_close(&o, '}');
	} else {
		buf_text(&text, why.text);
	}
	is_it = span_is(buf_whole(&text), object);
	if (!is_it)
		printf("# %s\n", text.p);
	offer_release(&offer);
	opt_list_release(&configs);
	opt_list_release(&logs);
	buf_release(&text);
	return is_it;
}

static void
gives_settings(void)
{
	CHECK(offers(NULL, NULL, "{}"));
	CHECK(offers("aggregationPeriod=5s", NULL,
	    "{\"aggregationPeriod\":\"5s\"}"));
	CHECK(offers("aggregationMinSamples=7", NULL,
	    "{\"aggregationMinSamples\":7}"));
}

static void
gives_logs(void)
{
	CHECK(offers(NULL, "hello", "{\"logs\":[{\"level\":\"info\","
	    "\"message\":\"hello\"}]}"));
	CHECK(offers(NULL, "error:bad \"x\"", "{\"logs\":[{\"level\":"
	    "\"error\",\"message\":\"bad \\\"x\\\"\"}]}"));
	CHECK(offers(NULL, "error: bad ", "{\"logs\":[{\"level\":"
	    "\"error\",\"message\":\"bad\"}]}"));
	CHECK(offers(NULL, "errors: none", "{\"logs\":[{\"level\":\"info\","
	    "\"message\":\"errors: none\"}]}"));
}

static void
refuses(void)
{
	CHECK(offers("aggregationPeriod", NULL,
	    "aggregationPeriod: not KEY=VALUE"));
	CHECK(offers("nothing=1", NULL, "nothing=1: no such setting"));
	/* the client's own */
	CHECK(offers("token=x", NULL, "token=x: no such setting"));
}

static void
fills_runtime(void)
{
	struct offer offer = { .config = { 0 } };
	struct opt_list configs = { 0 }, logs = { 0 };
	struct buf text = { 0 };
	struct jsn_out o = { .to = &text };
	struct why why;

	opt_list_add(&configs, "aggregationPeriod=5s");
	opt_list_add(&configs, "aggregationPeriod=6s");
	CHECK(offer_set(&offer, &configs, &logs, &why) == 0);
	jsn_open(&o, '{');
	offer_put_runtime(&offer, &o);
	jsn_close(&o, '}');
	CHECK_BUF(text, "{\"push_interval\":null,\"push_concurrency\":null,"
	    "\"aggregation_period\":\"6s\",\"aggregation_wait_period\":null,"
	    "\"aggregation_min_samples\":null,"
	    "\"max_samples_per_package\":null}");
	offer_release(&offer);
	opt_list_release(&configs);
	buf_release(&text);
}

int
main(void)
{
	test("settings are offered as k6's config file has them",
	    gives_settings);
	test("lines for the log have a level", gives_logs);
	test("no setting, and the token, are refused", refuses);
	test("the newer API has all members, the last value counts",
	    fills_runtime);
	return tap_end();
}
