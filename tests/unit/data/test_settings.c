/* SPDX-License-Identifier: MIT */
#include "data/settings.c"

#include <stddef.h>

#include "tap.h"

static struct settings s;
static struct why why;

static void
begin(void)
{
	settings_release(&s);
	settings_init(&s);
	why.text[0] = '\0';
}

static void
defaults(void)
{
	begin();
	CHECK_TEXT(settings_text(&s, SET_HOST), "https://ingest.k6.io");
	CHECK(settings_text(&s, SET_TOKEN) == NULL);
	CHECK(settings_text(&s, SET_PROJECT_ID) == NULL);
	CHECK(settings_int(&s, SET_TIMEOUT) == 60 * NS_PER_S);
	CHECK(settings_int(&s, SET_PERIOD) == 0);
	CHECK(settings_int(&s, SET_CALC_INTERVAL) == 3 * NS_PER_S);
	CHECK(settings_int(&s, SET_WAIT_PERIOD) == 5 * NS_PER_S);
	CHECK(settings_int(&s, SET_MIN_SAMPLES) == 100);
	CHECK(settings_int(&s, SET_ALGO_THRESHOLD) == 75);
	CHECK(settings_real(&s, SET_IQR_RADIUS) == 0.25);
	CHECK(settings_real(&s, SET_IQR_COEF_LOWER) == 1.5);
	CHECK(settings_real(&s, SET_IQR_COEF_UPPER) == 1.3);
	CHECK(settings_int(&s, SET_MAX_SAMPLES) == 100000);
	CHECK(!settings_bool(&s, SET_NO_COMPRESS));
}

/* Names of PROTOCOL 4.1. */
static void
names(void)
{
	static const char *const rows[][2] = {
		{ "aggregationOutlierIqrRadius",
		    "K6_CLOUD_AGGREGATION_OUTLIER_IQR_RADIUS" },
		{ "maxMetricSamplesPerPackage",
		    "K6_CLOUD_MAX_METRIC_SAMPLES_PER_PACKAGE" },
		{ "traceHost", "K6_CLOUD_TRACES_HOST" },
		{ "webAppURL", "K6_CLOUD_WEB_APP_URL" },
		{ "pushRefID", "K6_CLOUD_PUSH_REF_ID" },
		{ "defaultProjectID", NULL },
		{ NULL, "K6_CLOUD_LOGS_TAIL_URL" } };
	size_t i;
	int k, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (k = n = 0; k < SETTINGS; k++)
			n += (rows[i][0] == NULL ? settings_table[k].key ==
			    NULL : settings_table[k].key != NULL &&
			    strcmp(rows[i][0], settings_table[k].key) == 0) &&
			    (rows[i][1] == NULL ? settings_table[k].env ==
			    NULL : settings_table[k].env != NULL &&
			    strcmp(rows[i][1], settings_table[k].env) == 0);
		CHECK(n == 1);
	}
	for (k = 0; k < SETTINGS; k++)
		CHECK(settings_table[k].help != NULL);
}

/* From the weakest to the strongest, each overrules; weaker ones, coming
 * later, do not. */
static void
precedence(void)
{
	static const char *const texts[] = { "1s", "2s", "3s", "4s", "5s",
		"6s" };
	int from, to;

	for (from = FROM_DEFAULT; from <= FROM_SERVER; from++)
		for (to = FROM_DEFAULT; to <= FROM_SERVER; to++) {
			settings_release(&s);
			CHECK(settings_set(&s, SET_PERIOD, texts[from],
			    (enum settings_source)from, &why) == 0);
			CHECK(settings_set(&s, SET_PERIOD, texts[to],
			    (enum settings_source)to, &why) == 0);
			CHECK_TEXT(settings_text(&s, SET_PERIOD),
			    texts[from > to ? from : to]);
			CHECK(settings_int(&s, SET_PERIOD) == NS_PER_S *
			    (1 + (from > to ? from : to)));
		}
	/* what is ignored is checked all the same */
	CHECK(settings_set(&s, SET_PERIOD, "x", FROM_FILE, &why) == -1);
	CHECK_TEXT(settings_text(&s, SET_PERIOD), "6s");
}

static void
types(void)
{
	static const struct {
		enum setting which;
		const char *text;
		bool is_good;
	} rows[] = {
		{ SET_NO_COMPRESS, "true", true },
		{ SET_NO_COMPRESS, "false", true },
		{ SET_NO_COMPRESS, "1", false },
		{ SET_NO_COMPRESS, "True", false },
		{ SET_NO_COMPRESS, "", false },
		{ SET_MIN_SAMPLES, "0", true },
		{ SET_MIN_SAMPLES, "-1", false },
		{ SET_MIN_SAMPLES, "1.5", false },
		{ SET_MIN_SAMPLES, "2147483648", false },
		{ SET_MAX_SAMPLES, "0", false },
		{ SET_MAX_SAMPLES, "1", true },
		{ SET_PROJECT_ID, "0", false },
		{ SET_IQR_RADIUS, "0.5", true },
		{ SET_IQR_RADIUS, ".5", true },
		{ SET_IQR_RADIUS, "5e-1", true },
		{ SET_IQR_RADIUS, "-0.5", false },
		{ SET_IQR_RADIUS, "0.5x", false },
		{ SET_IQR_RADIUS, ".", false },
		{ SET_IQR_RADIUS, "1e999", false },
		{ SET_IQR_RADIUS, ".5e999", false },
		{ SET_IQR_RADIUS, "nan", false },
		{ SET_IQR_RADIUS, "", false },
		{ SET_IQR_COEF_LOWER, "0", true },
		{ SET_PERIOD, "3s", true }, { SET_PERIOD, "1500", true },
		{ SET_PERIOD, "0", true }, { SET_PERIOD, "-1s", false },
		{ SET_PERIOD, "3", true }, { SET_PERIOD, "3 s", false },
		{ SET_PUSH_INTERVAL, "0", false },
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((settings_set(&s, rows[i].which, rows[i].text, FROM_FLAG,
		    &why) == 0) != rows[i].is_good)
			CHECK_TEXT(rows[i].text, "the other way");
	CHECK(settings_real(&s, SET_IQR_RADIUS) == 0.5);
	CHECK(settings_int(&s, SET_PERIOD) == 3 * NS_PER_MS);
}

static void
environment(void)
{
	begin();
	setenv("K6_CLOUD_AGGREGATION_PERIOD", "2s", 1);
	setenv("K6_CLOUD_NO_COMPRESS", "", 1);
	setenv("K6_CLOUD_HOST", "", 1);
	setenv("K6_CLOUD_MIN_SAMPLES", "7", 1);	/* no such setting */
	CHECK(settings_set(&s, SET_PERIOD, "1s", FROM_FILE, &why) == 0);
	CHECK(settings_from_env(&s, &why) == 0);
	CHECK(settings_int(&s, SET_PERIOD) == 2 * NS_PER_S);
	CHECK(!settings_bool(&s, SET_NO_COMPRESS));
	CHECK_TEXT(settings_text(&s, SET_HOST), "https://ingest.k6.io");
	CHECK(settings_int(&s, SET_MIN_SAMPLES) == 100);
	setenv("K6_CLOUD_NO_COMPRESS", "yes", 1);
	CHECK(settings_from_env(&s, &why) == -1);
	CHECK_TEXT(why.text,
	    "K6_CLOUD_NO_COMPRESS: \"yes\" is neither true nor false");
	unsetenv("K6_CLOUD_NO_COMPRESS");
	setenv("K6_CLOUD_AGGREGATION_PERIOD", "soon", 1);
	CHECK(settings_from_env(&s, &why) == -1);
	CHECK(strstr(why.text, "K6_CLOUD_AGGREGATION_PERIOD: ") == why.text);
	unsetenv("K6_CLOUD_AGGREGATION_PERIOD");
	unsetenv("K6_CLOUD_HOST");
	unsetenv("K6_CLOUD_MIN_SAMPLES");
}

static int
json(const char *text)
{
	return settings_from_json(&s, span_of(text), FROM_SERVER, &why);
}

static void
objects(void)
{
	begin();
	CHECK(json("{\"host\":\"http:\\/\\/x\",\"later\":{\"a\":[1]},"
	    "\"aggregationPeriod\":\"4s\",\"timeout\":1500,\"noCompress\":"
	    "true,\"projectID\":17,\"aggregationOutlierIqrRadius\":0.3,"
	    "\"token\":null,\"name\":\"\"}") == 0);
	CHECK_TEXT(settings_text(&s, SET_HOST), "http://x");
	CHECK(settings_int(&s, SET_PERIOD) == 4 * NS_PER_S);
	CHECK(settings_int(&s, SET_TIMEOUT) == 1500 * NS_PER_MS);
	CHECK(settings_bool(&s, SET_NO_COMPRESS));
	CHECK(settings_int(&s, SET_PROJECT_ID) == 17);
	CHECK(settings_real(&s, SET_IQR_RADIUS) == 0.3);
	CHECK(settings_text(&s, SET_TOKEN) == NULL);
	CHECK(settings_text(&s, SET_NAME) == NULL);
	CHECK(json("{}") == 0 && json(" { } ") == 0);
}

static void
bad_objects(void)
{
	static const char *const rows[] = { "", "[]", "null", "{",
		"{\"host\"}", "{\"timeout\":\"x\"}", "{\"timeout\":-1}",
		"{\"noCompress\":1}", "{\"projectID\":0}",
		"{\"projectID\":1.5}", "{\"projectID\":[1]}",
		"{\"token\":{\"a\":1}}", "{\"token\":[]}",
		"{\"token\":\"a\\u0000b\"}" };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		if (json(rows[i]) != -1)
			CHECK_TEXT(rows[i], "refused");
		CHECK(why.text[0] != '\0');
		CHECK(settings_text(&s, SET_TOKEN) == NULL);
	}
	begin();
	CHECK(json("{\"timeout\":\"x\",\"name\":\"n\"}") == -1);
	CHECK(strncmp(why.text, "timeout: ", 9) == 0);
	CHECK_TEXT(settings_text(&s, SET_NAME), "n");
}

struct target {
	int before;
	struct settings settings;
};

static void
flags(void)
{
	struct opt rows[SETTINGS + 1], second[SETTINGS + 1];
	const struct opt *o;
	struct target t = { 0 };

	settings_options(USED_BY_AGG, offsetof(struct target, settings),
	    rows);
	settings_init(&t.settings);
	for (o = rows; o->name != NULL; o++) {
		CHECK((o->arg == NULL) == (settings_table[o->id].type ==
		    SETTING_BOOL));
		if (strcmp(o->name, "period") == 0)
			CHECK(o->letter == 'p' && o->set((char *)&t +
			    o->offset, o, "7s", &why) == 0);
		if (strcmp(o->name, "skip-outlier-detection") == 0)
			CHECK(o->set((char *)&t + o->offset, o, NULL,
			    &why) == 0);
		CHECK(strcmp(o->name, "host") != 0);
	}
	CHECK(o - rows == 9);
	CHECK(settings_int(&t.settings, SET_PERIOD) == 7 * NS_PER_S);
	CHECK(settings_bool(&t.settings, SET_SKIP_OUTLIERS));
	CHECK(t.settings.v[SET_PERIOD].source == FROM_FLAG);
	settings_release(&t.settings);
	settings_options(USED_BY_PUSH, 0, second);
	for (o = second; o->name != NULL; o++)
		CHECK(strcmp(o->name, "period") != 0 &&
		    strcmp(o->name, "token") != 0);
}

static void
wiped(void)
{
	size_t i;

	begin();
	CHECK(settings_set(&s, SET_TOKEN, "secret", FROM_ENV, &why) == 0);
	settings_wipe_secrets(&s);
	for (i = 0; i < strlen("secret"); i++)
		CHECK(s.v[SET_TOKEN].text[i] == '\0');
	settings_release(&s);
	settings_release(&s);
	settings_wipe_secrets(&s);
}

int
main(void)
{
	test("defaults are the documented ones", defaults);
	test("keys and variables have k6's names", names);
	test("default < file < start < environment < flag < server",
	    precedence);
	test("each type takes its own and nothing else", types);
	test("empty variables are unset, errors name the variable",
	    environment);
	test("a JSON object sets what it knows", objects);
	test("a bad member is named, the others are taken", bad_objects);
	test("each tool has its flags", flags);
	test("the token is overwritten", wiped);
	settings_release(&s);
	return tap_end();
}
