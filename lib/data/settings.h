/* SPDX-License-Identifier: MIT */
/*
 * settings: k6's settings of the cloud and of remote write, each named once:
 * JSON key, environment name, flag, type, default, help (PROTOCOL 4.1, 9.1). A
 * later source overrules an earlier one, in the order of enum settings_source.
 */
#ifndef K6PIPE_DATA_SETTINGS_H
#define K6PIPE_DATA_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/why.h"

enum setting {
	SET_TOKEN, SET_PROJECT_ID, SET_NAME, SET_HOST, SET_HOST_V6,
	SET_METRICS_PUSH_URL, SET_TEST_RUN_TOKEN,
	SET_STACK_ID, SET_STACK_URL, SET_DEFAULT_PROJECT_ID, SET_TIMEOUT,
	SET_LOGS_TAIL_URL, SET_WEB_APP_URL, SET_TEST_RUN_DETAILS,
	SET_NO_COMPRESS, SET_STOP_ON_ERROR, SET_API_VERSION, SET_PUSH_REF_ID,
	SET_MAX_SAMPLES, SET_MAX_TIME_SERIES, SET_PUSH_INTERVAL,
	SET_PUSH_CONCURRENCY, SET_SEND_HISTOGRAMS, SET_PERIOD,
	SET_CALC_INTERVAL, SET_WAIT_PERIOD, SET_MIN_SAMPLES,
	SET_SKIP_OUTLIERS, SET_ALGO_THRESHOLD, SET_IQR_RADIUS,
	SET_IQR_COEF_LOWER, SET_IQR_COEF_UPPER, SET_TRACES_ENABLED,
	SET_TRACES_HOST, SET_TRACES_PUSH_INTERVAL,
	SET_TRACES_PUSH_CONCURRENCY,
	/* of Prometheus remote write: */
	SET_OUT, SET_RW_URL, SET_RW_PUSH_INTERVAL, SET_RW_TESTID, SET_RW_TENANT,
	SET_RW_FORM, SET_RW_SCHEMA, SET_RW_VERSION, SET_RW_QUERY_URL,
	SET_RW_TREND_STATS, SET_RW_NATIVE, SET_RW_STALE_MARKERS,
	SET_RW_USERNAME, SET_RW_PASSWORD, SET_RW_BEARER_TOKEN, SET_RW_HEADERS,
	SET_RW_INSECURE, SET_RW_TLS_VERSION, SET_RW_CERT, SET_RW_CERT_KEY,
	SET_RW_SIGV4_REGION, SET_RW_SIGV4_ACCESS_KEY, SET_RW_SIGV4_SECRET_KEY,
	SETTINGS
};

enum setting_type { SETTING_TEXT, SETTING_INT, SETTING_REAL, SETTING_BOOL,
	SETTING_DURATION };

enum settings_source { FROM_DEFAULT, FROM_FILE, FROM_START, FROM_ENV,
	FROM_FLAG, FROM_SERVER };

/* Tools that have a flag for a setting. */
enum { USED_BY_AGG = 1, USED_BY_PUSH = 2 };

struct setting_row {
	const char *key;	/* of collectors.cloud; NULL: not in JSON */
	const char *env;	/* NULL: file only */
	char letter;		/* of the flag; 0: none */
	const char *flag;	/* NULL: none */
	const char *arg;
	enum setting_type type;
	const char *fallback;	/* default as text; "" is unset */
	unsigned used_by;
	int64_t min;		/* smallest int, or duration in ns, taken */
	const char *help;
};

extern const struct setting_row settings_table[SETTINGS];

struct setting_value {
	char *text;		/* as given; owned; NULL: unset */
	int64_t number;		/* int, bool 0/1, duration in ns */
	double real;
	enum settings_source source;
};

struct settings {
	struct setting_value v[SETTINGS];
};

/* All settings at their defaults. */
void settings_init(struct settings *s);
void settings_release(struct settings *s);

/* A copy that is released on its own. */
struct settings settings_copy(const struct settings *s);

/* Set one from text. A value from a weaker source than the present one is
 * checked and then ignored, and so is empty text for a text setting. -1: not
 * of the setting's type. */
int settings_set(struct settings *s, enum setting which, const char *text,
    enum settings_source source, struct why *why);

/* Set one back to its default, whatever its source was. */
void settings_forget(struct settings *s, enum setting which);

/* Take every variable that a row names; empty ones count as unset. -1: why
 * names the variable. */
int settings_from_env(struct settings *s, struct why *why);

/* Take the known members of a JSON object; null and unknown ones are passed
 * over. -1: why names the member; the others are taken. */
int settings_from_json(struct settings *s, struct span object,
    enum settings_source source, struct why *why);

/* Fill rows with the flags that a tool has; offset is that of a struct
 * settings in the tool's options. rows has room for SETTINGS + 1. */
void settings_options(unsigned used_by, size_t offset,
    struct opt rows[SETTINGS + 1]);

/* Values. Text is NULL when unset. */
const char *settings_text(const struct settings *s, enum setting which);
int64_t settings_int(const struct settings *s, enum setting which);
double settings_real(const struct settings *s, enum setting which);
bool settings_bool(const struct settings *s, enum setting which);

/* Is it a secret? */
bool settings_is_secret(enum setting which);

/* Overwrite the secrets before the memory is freed. */
void settings_wipe_secrets(struct settings *s);

#endif
