/* SPDX-License-Identifier: MIT */
/* Makes the offer from options, and writes it into answers. */
#include "k6serve/ingest/run_settings_offer.h"

#include <stdlib.h>
#include <string.h>

#include "data/settings.h"

void
offer_release(struct offer *o)
{
	buf_release(&o->config);
	buf_release(&o->logs);
}

/* The setting that a key names; SETTINGS: none. The token is the client's
 * own, and no business of others. */
static enum setting
setting_of(struct span key)
{
	int i;

	for (i = 0; i < SETTINGS; i++)
		if (i != SET_TOKEN && settings_table[i].key != NULL &&
		    span_is(key, settings_table[i].key))
			break;
	return (enum setting)i;
}

static void
put_value(struct jsn_out *out, const struct settings *s, enum setting which)
{
	switch (settings_table[which].type) {
	case SETTING_INT:
		jsn_put_int(out, settings_int(s, which));
		break;
	case SETTING_REAL:
		jsn_put_number(out, settings_real(s, which));
		break;
	case SETTING_BOOL:
		jsn_put_bool(out, settings_bool(s, which));
		break;
	case SETTING_TEXT:
	case SETTING_DURATION:
		jsn_put_text(out, span_of(settings_text(s, which)));
		break;
	}
}

static int
add_setting(struct jsn_out *out, const char *text, struct why *why)
{
	const char *equals = strchrnul(text, '=');
	struct settings s = { 0 };
	struct why cause;
	enum setting which = setting_of((struct span){ text,
	    (size_t)(equals - text) });

	if (*equals == '\0')
		return why_set(why, "%s: not KEY=VALUE", text);
	if (which == SETTINGS)
		return why_set(why, "%s: no such setting", text);
	if (settings_set(&s, which, equals + 1, FROM_SERVER, &cause) < 0) {
		settings_release(&s);
		return why_set(why, "%s: %s", text, cause.text);
	}
	if (s.v[which].text != NULL) {
		jsn_key(out, settings_table[which].key);
		put_value(out, &s, which);
	}
	settings_release(&s);
	return 0;
}

static void
add_log(struct jsn_out *out, const char *text)
{
	static const char *const levels[] = { "error", "warning", "info",
	    "debug" };
	struct span level = SPAN("info");
	struct span message;
	size_t i, n;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		n = strlen(levels[i]);
		if (strncmp(text, levels[i], n) == 0 && text[n] == ':') {
			level = (struct span){ levels[i], n };
			text += n + 1;
			break;
		}
	}
	message = span_of(text + strspn(text, " \t"));
	while (message.n > 0 && strchr(" \t", message.p[message.n - 1]) != NULL)
		message.n--;
	jsn_open(out, '{');
	jsn_member_text(out, "level", level);
	jsn_member_text(out, "message", message);
	jsn_close(out, '}');
}

int
offer_set(struct offer *o, const struct opt_list *config,
    const struct opt_list *logs, struct why *why)
{
	struct jsn_out out = { .to = &o->config };
	size_t i;

	for (i = 0; i < config->n; i++)
		if (add_setting(&out, config->items[i], why) < 0)
			return -1;
	out = (struct jsn_out){ .to = &o->logs };
	for (i = 0; i < logs->n; i++)
		add_log(&out, logs->items[i]);
	return 0;
}

void
offer_put_config(const struct offer *o, struct jsn_out *out)
{
	if (o->config.n != 0)
		jsn_put_raw(out, buf_whole(&o->config));
}

void
offer_put_logs(const struct offer *o, struct jsn_out *out)
{
	if (o->logs.n == 0)
		return;
	jsn_key(out, "logs");
	jsn_open(out, '[');
	jsn_put_raw(out, buf_whole(&o->logs));
	jsn_close(out, ']');
}

/* The text of the setting with that key, the last one; n 0: not offered. */
static struct span
value_of(struct span object, const char *name)
{
	struct jsn j = jsn_of(object);
	struct span key, value = { NULL, 0 };

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (span_is(key, name))
			(void)jsn_value(&j, &value);
		else
			(void)jsn_skip(&j);
	return value;
}

void
offer_put_runtime(const struct offer *o, struct jsn_out *out)
{
	static const struct {
		const char *name;
		enum setting setting;
	} members[] = {
		{ "push_interval", SET_PUSH_INTERVAL },
		{ "push_concurrency", SET_PUSH_CONCURRENCY },
		{ "aggregation_period", SET_PERIOD },
		{ "aggregation_wait_period", SET_WAIT_PERIOD },
		{ "aggregation_min_samples", SET_MIN_SAMPLES },
		{ "max_samples_per_package", SET_MAX_TIME_SERIES },
	};
	struct buf object = { 0 };
	struct span value;
	size_t i;

	buf_char(&object, '{');
	buf_span(&object, buf_whole(&o->config));
	buf_char(&object, '}');
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		value = value_of(buf_whole(&object),
		    settings_table[members[i].setting].key);
		jsn_member_raw(out, members[i].name, value.n != 0 ? value
		    : SPAN("null"));
	}
	buf_release(&object);
}
