/* SPDX-License-Identifier: MIT */
/* All settings of k6's outputs: one row each, from four places. */
#include "data/settings.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/units.h"
#include "data/jsn.h"


const struct setting_row settings_table[SETTINGS] = {
	[SET_TOKEN] = { "token", "K6_CLOUD_TOKEN", 0, NULL, NULL,
	    SETTING_TEXT, "", 0, 0, "API token" },
	[SET_PROJECT_ID] = { "projectID", "K6_CLOUD_PROJECT_ID", 0,
	    "project-id", "ID", SETTING_INT, "", USED_BY_PUSH, 1,
	    "project that the run belongs to" },
	[SET_NAME] = { "name", "K6_CLOUD_NAME", 'n', "name", "NAME",
	    SETTING_TEXT, "", USED_BY_PUSH, 0, "name of the run" },
	[SET_HOST] = { "host", "K6_CLOUD_HOST", 0, "host", "URL",
	    SETTING_TEXT, "https://ingest.k6.io", USED_BY_PUSH, 0,
	    "server that takes the samples" },
	[SET_HOST_V6] = { "hostv6", "K6_CLOUD_HOST_V6", 0, NULL, NULL,
	    SETTING_TEXT, "https://api.k6.io", 0, 0,
	    "server of the newer API" },
	[SET_METRICS_PUSH_URL] = { NULL, "K6_CLOUD_METRICS_PUSH_URL", 0, NULL,
	    NULL, SETTING_TEXT, "", 0, 0, "where a provisioned run's samples "
	    "go, by protocol 2" },
	[SET_TEST_RUN_TOKEN] = { NULL, "K6_CLOUD_TEST_RUN_TOKEN", 0, NULL,
	    NULL, SETTING_TEXT, "", 0, 0, "token for that URL alone" },
	[SET_STACK_ID] = { "stackID", "K6_CLOUD_STACK_ID", 0, NULL, NULL,
	    SETTING_INT, "", 0, 1, "Grafana Cloud stack" },
	[SET_STACK_URL] = { "stackURL", "K6_CLOUD_STACK_URL", 0, NULL, NULL,
	    SETTING_TEXT, "", 0, 0, "URL of the Grafana Cloud stack" },
	[SET_DEFAULT_PROJECT_ID] = { "defaultProjectID", NULL, 0, NULL, NULL,
	    SETTING_INT, "", 0, 1, "project when none is named" },
	[SET_TIMEOUT] = { "timeout", "K6_CLOUD_TIMEOUT", 0, "timeout",
	    "DURATION", SETTING_DURATION, "1m", USED_BY_PUSH, NS_PER_MS,
	    "longest time for one request" },
	[SET_LOGS_TAIL_URL] = { NULL, "K6_CLOUD_LOGS_TAIL_URL", 0, NULL, NULL,
	    SETTING_TEXT, "wss://cloudlogs.k6.io/api/v1/tail", 0, 0,
	    "server of a cloud run's logs" },
	[SET_WEB_APP_URL] = { "webAppURL", "K6_CLOUD_WEB_APP_URL", 0,
	    "web-app-url", "URL", SETTING_TEXT, "https://app.k6.io",
	    USED_BY_PUSH, 0, "URL of the web pages, before /runs/ID" },
	[SET_TEST_RUN_DETAILS] = { "testRunDetails",
	    "K6_CLOUD_TEST_RUN_DETAILS", 0, "test-run-details", "URL",
	    SETTING_TEXT, "", USED_BY_PUSH, 0, "web page of the run" },
	[SET_NO_COMPRESS] = { "noCompress", "K6_CLOUD_NO_COMPRESS", 0,
	    "no-compress", NULL, SETTING_BOOL, "false", USED_BY_PUSH, 0,
	    "send samples without gzip" },
	[SET_STOP_ON_ERROR] = { "stopOnError", "K6_CLOUD_STOP_ON_ERROR", 0,
	    "stop-on-error", NULL, SETTING_BOOL, "false", USED_BY_PUSH, 0,
	    "abort when the server takes no more samples" },
	[SET_API_VERSION] = { "apiVersion", "K6_CLOUD_API_VERSION", 0,
	    "api-version", "N", SETTING_INT, "1", USED_BY_PUSH, 1,
	    "protocol of the samples, 1 or 2" },
	[SET_PUSH_REF_ID] = { "pushRefID", "K6_CLOUD_PUSH_REF_ID", 0,
	    "push-ref-id", "ID", SETTING_TEXT, "", USED_BY_PUSH, 0,
	    "feed this run; neither create nor finish it" },
	[SET_MAX_SAMPLES] = { "maxMetricSamplesPerPackage",
	    "K6_CLOUD_MAX_METRIC_SAMPLES_PER_PACKAGE", 0,
	    "max-samples-per-package", "N", SETTING_INT, "100000",
	    USED_BY_PUSH, 1, "maximum number of samples in one request" },
	[SET_MAX_TIME_SERIES] = { "maxTimeSeriesInBatch",
	    "K6_CLOUD_MAX_TIME_SERIES_IN_BATCH", 0, NULL, NULL, SETTING_INT,
	    "1000", 0, 1,
	    "maximum number of series in one request, protocol 2" },
	[SET_PUSH_INTERVAL] = { "metricPushInterval",
	    "K6_CLOUD_METRIC_PUSH_INTERVAL", 0, "push-interval", "DURATION",
	    SETTING_DURATION, "1s", USED_BY_PUSH, NS_PER_MS,
	    "time between two pushes" },
	[SET_PUSH_CONCURRENCY] = { "metricPushConcurrency",
	    "K6_CLOUD_METRIC_PUSH_CONCURRENCY", 0, "push-concurrency", "N",
	    SETTING_INT, "1", USED_BY_PUSH, 1, "number of requests at a time" },
	[SET_SEND_HISTOGRAMS] = { "sendHistograms",
	    "K6_CLOUD_SEND_HISTOGRAMS", 0, "send-histograms", NULL,
	    SETTING_BOOL, "false", USED_BY_PUSH, 0,
	    "send the histograms of folded requests" },
	[SET_PERIOD] = { "aggregationPeriod", "K6_CLOUD_AGGREGATION_PERIOD",
	    'p', "period", "DURATION", SETTING_DURATION, "0", USED_BY_AGG, 0,
	    "length of a time bucket; 0 folds nothing" },
	[SET_CALC_INTERVAL] = { "aggregationCalcInterval",
	    "K6_CLOUD_AGGREGATION_CALC_INTERVAL", 0, "calc-interval",
	    "DURATION", SETTING_DURATION, "3s", USED_BY_AGG, NS_PER_MS,
	    "how often due buckets are folded" },
	[SET_WAIT_PERIOD] = { "aggregationWaitPeriod",
	    "K6_CLOUD_AGGREGATION_WAIT_PERIOD", 'w', "wait-period",
	    "DURATION", SETTING_DURATION, "5s", USED_BY_AGG, 0,
	    "a bucket is due this long after its start" },
	[SET_MIN_SAMPLES] = { "aggregationMinSamples",
	    "K6_CLOUD_AGGREGATION_MIN_SAMPLES", 0, "min-samples", "N",
	    SETTING_INT, "100", USED_BY_AGG, 0,
	    "fewer requests than this are not folded" },
	[SET_SKIP_OUTLIERS] = { "aggregationSkipOutlierDetection",
	    "K6_CLOUD_AGGREGATION_SKIP_OUTLIER_DETECTION", 0,
	    "skip-outlier-detection", NULL, SETTING_BOOL, "false",
	    USED_BY_AGG, 0, "fold outliers too" },
	[SET_ALGO_THRESHOLD] = { "aggregationOutlierAlgoThreshold",
	    "K6_CLOUD_AGGREGATION_OUTLIER_ALGO_THRESHOLD", 0,
	    "algo-threshold", "N", SETTING_INT, "75", USED_BY_AGG, 0,
	    "with N or more requests, quartiles are not interpolated" },
	[SET_IQR_RADIUS] = { "aggregationOutlierIqrRadius",
	    "K6_CLOUD_AGGREGATION_OUTLIER_IQR_RADIUS", 0, "iqr-radius", "R",
	    SETTING_REAL, "0.25", USED_BY_AGG, 0,
	    "quartiles are at 0.5-R and 0.5+R" },
	[SET_IQR_COEF_LOWER] = { "aggregationOutlierIqrCoefLower",
	    "K6_CLOUD_AGGREGATION_OUTLIER_IQR_COEF_LOWER", 0,
	    "iqr-coef-lower", "C", SETTING_REAL, "1.5", USED_BY_AGG, 0,
	    "lower fence: C interquartile ranges below" },
	[SET_IQR_COEF_UPPER] = { "aggregationOutlierIqrCoefUpper",
	    "K6_CLOUD_AGGREGATION_OUTLIER_IQR_COEF_UPPER", 0,
	    "iqr-coef-upper", "C", SETTING_REAL, "1.3", USED_BY_AGG, 0,
	    "upper fence: C interquartile ranges above" },
	[SET_TRACES_ENABLED] = { "tracesEnabled", "K6_CLOUD_TRACES_ENABLED",
	    0, NULL, NULL, SETTING_BOOL, "false", 0, 0,
	    "send traces (k6 only)" },
	[SET_TRACES_HOST] = { "traceHost", "K6_CLOUD_TRACES_HOST", 0, NULL,
	    NULL, SETTING_TEXT, "", 0, 0, "server of the traces (k6 only)" },
	[SET_TRACES_PUSH_INTERVAL] = { "tracesPushInterval",
	    "K6_CLOUD_TRACES_PUSH_INTERVAL", 0, NULL, NULL, SETTING_DURATION,
	    "1s", 0, 0, "time between two pushes of traces (k6 only)" },
	[SET_TRACES_PUSH_CONCURRENCY] = { "tracesPushConcurrency",
	    "K6_CLOUD_TRACES_PUSH_CONCURRENCY", 0, NULL, NULL, SETTING_INT,
	    "1", 0, 1, "requests with traces at a time (k6 only)" },
	/* Prometheus remote write */
	[SET_OUT] = { NULL, "K6PUSH_OUT", 0, "out", "WHERE", SETTING_TEXT,
	    "cloud", USED_BY_PUSH, 0,
	    "cloud, or prometheus-rw: a metrics store" },
	[SET_RW_URL] = { NULL, "K6_PROMETHEUS_RW_SERVER_URL", 0, "rw-url",
	    "URL", SETTING_TEXT, "http://localhost:9090/api/v1/write",
	    USED_BY_PUSH, 0, "where the metrics store takes remote writes" },
	[SET_RW_PUSH_INTERVAL] = { NULL, "K6_PROMETHEUS_RW_PUSH_INTERVAL", 0,
	    NULL, NULL, SETTING_DURATION, "5s", 0, NS_PER_MS,
	    "time between two samples of a series" },
	[SET_RW_TESTID] = { NULL, "K6_PROMETHEUS_RW_TESTID", 0, "testid", "ID",
	    SETTING_TEXT, "", USED_BY_PUSH, 0,
	    "label of all series of this run in the metrics store" },
	[SET_RW_TENANT] = { NULL, "K6_PROMETHEUS_RW_TENANT", 0, "tenant", "ID",
	    SETTING_TEXT, "", USED_BY_PUSH, 0,
	    "tenant of Mimir, Cortex or Thanos" },
	[SET_RW_FORM] = { NULL, "K6_PROMETHEUS_RW_FORM", 0, "rw-form", "FORM",
	    SETTING_TEXT, "", USED_BY_PUSH, 0, "form of histograms: native, "
	    "vmrange, classic, or stats for none (what the receiver takes)" },
	[SET_RW_SCHEMA] = { NULL, "K6_PROMETHEUS_RW_SCHEMA", 0, "rw-schema",
	    "N", SETTING_INT, "6", USED_BY_PUSH, 3,
	    "resolution of native histograms, 3 to 8" },
	[SET_RW_VERSION] = { NULL, "K6_PROMETHEUS_RW_VERSION", 0, "rw-version",
	    "N", SETTING_INT, "1", USED_BY_PUSH, 1,
	    "version of remote write: 1, or 2 if the receiver knows it" },
	[SET_RW_QUERY_URL] = { NULL, "K6_PROMETHEUS_RW_QUERY_URL", 0,
	    "query-url", "URL", SETTING_TEXT, "", USED_BY_PUSH, 0,
	    "URL that --verify asks, before /api/v1/query" },
	[SET_RW_TREND_STATS] = { NULL, "K6_PROMETHEUS_RW_TREND_STATS", 0,
	    "rw-trend-stats", "LIST", SETTING_TEXT, "", USED_BY_PUSH, 0,
	    "gauges to send for trends: count,sum,min,max,avg,med,p(99)" },
	[SET_RW_NATIVE] = { NULL, "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM",
	    0, NULL, NULL, SETTING_BOOL, "", 0, 0,
	    "true: --rw-form native; false: stats" },
	[SET_RW_STALE_MARKERS] = { NULL, "K6_PROMETHEUS_RW_STALE_MARKERS", 0,
	    NULL, NULL, SETTING_BOOL, "true", 0, 0,
	    "mark the series as ended at the end of the run" },
	[SET_RW_USERNAME] = { NULL, "K6_PROMETHEUS_RW_USERNAME", 0, NULL, NULL,
	    SETTING_TEXT, "", 0, 0, "user name for Basic authentication" },
	[SET_RW_PASSWORD] = { NULL, "K6_PROMETHEUS_RW_PASSWORD", 0, NULL, NULL,
	    SETTING_TEXT, "", 0, 0, "password for it" },
	[SET_RW_BEARER_TOKEN] = { NULL, "K6_PROMETHEUS_RW_BEARER_TOKEN", 0,
	    NULL, NULL, SETTING_TEXT, "", 0, 0,
	    "bearer token, in place of these" },
	[SET_RW_HEADERS] = { NULL, "K6_PROMETHEUS_RW_HTTP_HEADERS", 0, NULL,
	    NULL, SETTING_TEXT, "", 0, 0, "more headers: NAME:VALUE,..." },
	[SET_RW_INSECURE] = { NULL, "K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY",
	    0, NULL, NULL, SETTING_BOOL, "false", 0, 0,
	    "accept any TLS certificate" },
	[SET_RW_TLS_VERSION] = { NULL, "K6_PROMETHEUS_RW_TLS_MINIMUM_VERSION",
	    0, NULL, NULL, SETTING_TEXT, "1.3", 0, 0,
	    "lowest version of TLS: 1.2 or 1.3" },
	[SET_RW_CERT] = { NULL, "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE", 0, NULL,
	    NULL, SETTING_TEXT, "", 0, 0, "file of the client's certificate" },
	[SET_RW_CERT_KEY] = { NULL, "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE_KEY",
	    0, NULL, NULL, SETTING_TEXT, "", 0, 0, "file of its key" },
	[SET_RW_SIGV4_REGION] = { NULL, "K6_PROMETHEUS_RW_SIGV4_REGION", 0,
	    NULL, NULL, SETTING_TEXT, "", 0, 0,
	    "AWS region, for signed requests" },
	[SET_RW_SIGV4_ACCESS_KEY] = { NULL,
	    "K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY", 0, NULL, NULL, SETTING_TEXT,
	    "", 0, 0, "AWS access key" },
	[SET_RW_SIGV4_SECRET_KEY] = { NULL,
	    "K6_PROMETHEUS_RW_SIGV4_SECRET_KEY", 0, NULL, NULL, SETTING_TEXT,
	    "", 0, 0, "AWS secret key" },
};

/* Parse text into v by the setting's type. */
static int
parse(const struct setting_row *row, const char *text,
    struct setting_value *v, struct why *why)
{
	char *end;

	switch (row->type) {
	case SETTING_TEXT:
		return 0;
	case SETTING_BOOL:
		v->number = strcmp(text, "true") == 0;
		return v->number != 0 || strcmp(text, "false") == 0 ? 0
		    : why_set(why, "\"%s\" is neither true nor false", text);
	case SETTING_INT:
		return num_parse_int(text, row->min, INT32_MAX, &v->number)
		    ? 0 : why_set(why, "\"%s\" is not a whole number of "
		    "at least %lld", text, (long long)row->min);
	case SETTING_REAL:
		/* Go, and so k6, takes ".5" where JSON does not. */
		if (text[0] == '.' && text[1] >= '0' && text[1] <= '9')
			v->real = strtod(text, &end);
		else
			end = (char *)text + num_parse(text, strlen(text),
			    &v->real);
		return end != text && *end == '\0' && v->real >= 0 &&
		    isfinite(v->real) ? 0
		    : why_set(why, "\"%s\" is not a number of at least 0",
		    text);
	case SETTING_DURATION:
		if (!duration_parse(text, &v->number))
			return why_set(why, "\"%s\" is not a duration (3s, "
			    "1m30s, 500ms)", text);
		return v->number >= row->min ? 0 : why_set(why,
		    "\"%s\" is less than %s", text, row->min > 0 ? "1ms"
		    : "0");
	}
	return 0;
}

void
settings_init(struct settings *s)
{
	const char *fallback;
	int i;

	*s = (struct settings){ 0 };
	for (i = 0; i < SETTINGS; i++) {
		fallback = settings_table[i].fallback;
		if (fallback[0] != '\0')
			(void)settings_set(s, (enum setting)i, fallback,
			    FROM_DEFAULT, NULL);
	}
}

struct settings
settings_copy(const struct settings *s)
{
	struct settings copy = *s;
	int i;

	for (i = 0; i < SETTINGS; i++)
		if (s->v[i].text != NULL)
			copy.v[i].text = xstrdup(s->v[i].text);
	return copy;
}

bool
settings_is_secret(enum setting which)
{
	return which == SET_TOKEN || which == SET_TEST_RUN_TOKEN ||
	    which == SET_RW_PASSWORD || which == SET_RW_BEARER_TOKEN ||
	    which == SET_RW_HEADERS || which == SET_RW_SIGV4_SECRET_KEY;
}

void
settings_wipe_secrets(struct settings *s)
{
	int i;

	for (i = 0; i < SETTINGS; i++)
		if (s->v[i].text != NULL && settings_is_secret((enum setting)i))
			explicit_bzero(s->v[i].text, strlen(s->v[i].text));
}

void
settings_release(struct settings *s)
{
	int i;

	settings_wipe_secrets(s);
	for (i = 0; i < SETTINGS; i++)
		free(s->v[i].text);
	*s = (struct settings){ 0 };
}

int
settings_set(struct settings *s, enum setting which, const char *text,
    enum settings_source source, struct why *why)
{
	struct setting_value v = { .source = source };

	if (text[0] == '\0' && settings_table[which].type == SETTING_TEXT)
		return 0;	/* as everywhere in k6: unset */
	if (parse(&settings_table[which], text, &v, why) < 0)
		return -1;
	if (s->v[which].text != NULL && s->v[which].source > source)
		return 0;
	v.text = xstrdup(text);
	free(s->v[which].text);
	s->v[which] = v;
	return 0;
}

void
settings_forget(struct settings *s, enum setting which)
{
	const char *fallback = settings_table[which].fallback;

	free(s->v[which].text);
	s->v[which] = (struct setting_value){ 0 };
	if (fallback[0] != '\0')
		(void)settings_set(s, which, fallback, FROM_DEFAULT, NULL);
}

int
settings_from_env(struct settings *s, struct why *why)
{
	const char *name, *text;
	struct why cause;
	int i;

	for (i = 0; i < SETTINGS; i++) {
		name = settings_table[i].env;
		text = name != NULL ? getenv(name) : NULL;
		if (text == NULL || text[0] == '\0')
			continue;
		if (settings_set(s, (enum setting)i, text, FROM_ENV,
		    &cause) < 0)
			return why_set(why, "%s: %s", name, cause.text);
	}
	return 0;
}

static int
setting_of_key(struct span key)
{
	int i;

	for (i = 0; i < SETTINGS; i++)
		if (settings_table[i].key != NULL &&
		    jsn_same(key, settings_table[i].key))
			return i;
	return -1;
}

/* One member: scalars become text and go the way of all text. */
static int
set_member(struct settings *s, int which, struct span value,
    enum settings_source source, struct why *why)
{
	struct buf text = { 0 };
	struct why cause;
	int status;

	if (value.p[0] == '{' || value.p[0] == '[')
		return why_set(why, "%s: not a single value",
		    settings_table[which].key);
	if (value.p[0] == '"')
		jsn_unescape(&text, (struct span){ value.p + 1,
		    value.n - 2 });
	else
		buf_span(&text, value);
	if (text.n == 0) {	/* "": unset */
		buf_release(&text);
		return 0;
	}
	if (memchr(text.p, '\0', text.n) != NULL)
		status = why_set(&cause, "a NUL byte in it");
	else
		status = settings_set(s, (enum setting)which, text.p, source,
		    &cause);
	if (status < 0)
		(void)why_set(why, "%s: %s", settings_table[which].key,
		    cause.text);
	buf_release(&text);
	return status;
}

int
settings_from_json(struct settings *s, struct span object,
    enum settings_source source, struct why *why)
{
	struct jsn j = jsn_of(object);
	struct span key, value;
	int which, status = 0;

	if (!jsn_enter(&j, '{'))
		return why_set(why, "%s", j.error);
	while (jsn_member(&j, &key) && jsn_value(&j, &value)) {
		which = setting_of_key(key);
		if (which >= 0 && !span_is(value, "null") &&
		    set_member(s, which, value, source, why) < 0)
			status = -1;
	}
	return j.error == NULL ? status : why_set(why, "%s", j.error);
}

static int
set_from_flag(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	double plain;

	/* k6's flags want a unit; in its file and environment a plain number
	 * is milliseconds, which nobody means by "-p 3". */
	if (settings_table[o->id].type == SETTING_DURATION &&
	    strcmp(value, "0") != 0 &&
	    num_parse(value, strlen(value), &plain) == strlen(value))
		return why_set(why, "\"%s\" has no unit (3s, 1m30s, "
		    "500ms)", value);
	return settings_set(member, (enum setting)o->id,
	    value != NULL ? value : "true", FROM_FLAG, why);
}

void
settings_options(unsigned used_by, size_t offset,
    struct opt rows[SETTINGS + 1])
{
	const struct setting_row *row;
	int i, n = 0;

	for (i = 0; i < SETTINGS; i++) {
		row = &settings_table[i];
		if (row->flag != NULL && (row->used_by & used_by) != 0)
			rows[n++] = (struct opt){ row->letter, row->flag,
			    row->arg, row->help, OPT_CALL, offset,
			    set_from_flag, i };
	}
	rows[n] = (struct opt){ 0 };
}

const char *
settings_text(const struct settings *s, enum setting which)
{
	return s->v[which].text;
}

int64_t
settings_int(const struct settings *s, enum setting which)
{
	return s->v[which].number;
}

double
settings_real(const struct settings *s, enum setting which)
{
	return s->v[which].real;
}

bool
settings_bool(const struct settings *s, enum setting which)
{
	return s->v[which].number != 0;
}
