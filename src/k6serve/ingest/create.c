/* SPDX-License-Identifier: MIT */
/* Creates a run, from JSON or from a form with the archive of its script. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "data/threshold.h"
#include "k6serve/http/run_mark.h"
#include "k6serve/ingest/archive.h"
#include "k6serve/ingest/ingest.h"
#include "k6serve/ingest/multipart.h"
#include "k6serve/ingest/option_thresholds.h"
#include "k6serve/ingest/run_settings_offer.h"

enum {
	NAME_BYTES = 250,	/* of a run's name */
	AGENT_BYTES = 200,
	THRESHOLD_BYTES = 160,	/* what stands around one in JSON */
};

void
ingest_shorten(struct buf *name)
{
	size_t n = NAME_BYTES;

	if (name->n == 0 || strspn(name->p, " \t\r\n") == name->n) {
		buf_reset(name);
		return;
	}
	if (name->n <= NAME_BYTES)
		return;
	while (n > 0 && ((unsigned char)name->p[n] & 0xc0) == 0x80)
		n--;
	name->n = n;
	buf_text(name, "\xe2\x80\xa6");	/* an ellipsis */
}

static void
read_text(struct jsn *j, struct buf *to)
{
	struct span raw;

	if (jsn_peek(j) != '"')
		(void)jsn_skip(j);
	else if (jsn_text(j, &raw))
		jsn_unescape(to, raw);
}

/* What a new run's texts point to. */
struct create_texts {
	struct buf name, thresholds;
};

static int
parse_create(struct call *c, struct span body, struct store_run *run,
    struct buf *name)
{
	struct jsn j = jsn_of(body);
	struct span key;

	run->thresholds = SPAN("{}");
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		if (span_is(key, "name"))
			read_text(&j, name);
		else if (span_is(key, "project_id"))
			ingest_read_int(&j, &run->project);
		else if (span_is(key, "vus"))
			ingest_read_int(&j, &run->vus);
		else if (span_is(key, "duration"))
			ingest_read_int(&j, &run->planned_s);
		else if (span_is(key, "thresholds"))
			ingest_read_object(&j, &run->thresholds);
		else if (span_is(key, "process_thresholds"))
			run->is_judged = jsn_peek(&j) == 't',
			    (void)jsn_skip(&j);
		else if (span_is(key, "instances"))
			ingest_read_int(&j, &run->instances);
		else
			(void)jsn_skip(&j);
	}
	return ingest_check_json(c, &j);
}

static void
read_field(const char *type, struct span body, const char *name, int64_t *to)
{
	char text[24];
	struct span value;

	if (!multipart_field(type, body, name, &value) ||
	    value.n >= sizeof(text))
		return;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	(void)num_parse_int(text, -1, INT64_C(1) << 53, to);
}

/* What is in the archive of the script: its options, in them the thresholds. */
static void
read_archive(struct span tar, struct buf *thresholds)
{
	struct span metadata, key;
	struct jsn j;

	if (!archive_file(tar, "metadata.json", &metadata))
		return;
	j = jsn_of(metadata);
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (span_is(key, "options"))
			option_thresholds(&j, thresholds);
		else
			(void)jsn_skip(&j);
	if (!jsn_done(&j)) {
		buf_reset(thresholds);
		buf_text(thresholds, "{}");
	}
}

/* `k6 cloud run --local-execution` of k6 0.54 to 2.1 sends a form. */
static int
parse_form(struct call *c, struct span body, struct store_run *run,
    struct create_texts *texts)
{
	const char *type = httpd_header(c->r, "Content-Type");
	struct span value;

	buf_text(&texts->thresholds, "{}");
	if (!multipart_field(type, body, "name", &value)) {
		reply_error(c->reply, 400, 0, "the form is cut short or has "
		    "no field \"name\"");
		return -1;
	}
	buf_span(&texts->name, value);
	read_field(type, body, "project_id", &run->project);
	read_field(type, body, "vus", &run->vus);
	read_field(type, body, "duration", &run->planned_s);
	if (multipart_field(type, body, "file", &value))
		read_archive(value, &texts->thresholds);
	run->thresholds = buf_whole(&texts->thresholds);
	return 0;
}

static bool
is_form(const struct call *c)
{
	const char *type = httpd_header(c->r, "Content-Type");

	return type != NULL && strncasecmp(type, "multipart/", 10) == 0;
}

static int
parse_plan(struct call *c, struct span body, struct store_run *run,
    struct create_texts *texts)
{
	int status = is_form(c) ? parse_form(c, body, run, texts)
	    : parse_create(c, body, run, &texts->name);

	if (status < 0)
		return -1;
	ingest_shorten(&texts->name);
	if (texts->name.n == 0)
		buf_text(&texts->name, "k6 test");
	run->name = buf_whole(&texts->name);
	return 0;
}

static void
reply_created(struct call *c, int64_t id, struct span mark)
{
	struct jsn_out o = reply_json(c->reply, 200);
	struct buf url = { 0 };
	char text[24];

	call_put_url(c, &url);
	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	jsn_open(&o, '{');
	jsn_member_text(&o, "reference_id", span_of(text));
	jsn_member_text(&o, "database", mark);
	jsn_key(&o, "config");
	jsn_open(&o, '{');
	jsn_member_text(&o, "webAppURL", buf_whole(&url));
	jsn_key(&o, "sendHistograms");
	jsn_put_bool(&o, true);
	jsn_key(&o, "tracesEnabled");
	jsn_put_bool(&o, false);
	offer_put_config(&ingest_config_of(c)->offer, &o);
	jsn_close(&o, '}');
	offer_put_logs(&ingest_config_of(c)->offer, &o);
	jsn_close(&o, '}');
	buf_release(&url);
}

/* Owners cannot meet each other's runs by a key that they share. */
static void
put_create_key(const struct call *c, struct buf *out)
{
	struct span key = ingest_key(c);

	if (c->owner != store_everybody && key.n != 0)
		buf_printf(out, "%s/", c->owner);
	buf_span(out, key);
}

/* How much the thresholds take where a run is shown: the metric stands beside
 * each of its sources. */
static void
add_shown(void *ctx, struct span metric, const struct threshold_json *one)
{
	*(size_t *)ctx += metric.n + one->source.n + THRESHOLD_BYTES;
}

bool
ingest_plan_fits(struct span thresholds)
{
	size_t shown = 0;

	threshold_walk(thresholds, add_shown, &shown);
	return shown <= STORE_OBJECT;
}

enum store_result
ingest_add(struct call *c, struct store_run *run, struct why *why)
{
	const char *agent = httpd_header(c->r, "User-Agent");
	enum store_result result;
	struct buf key = { 0 };

	if (!ingest_plan_fits(run->thresholds)) {
		(void)why_set(why, "the thresholds, each with its metric: more "
		    "than %d bytes", STORE_OBJECT);
		return STORE_TOO_MUCH;
	}
	run->created_ns = now_unix_ns();
	run->agent = (struct span){ agent, agent != NULL ?
	    strnlen(agent, AGENT_BYTES) : 0 };
	run->owner = call_new_owner(c);
	put_create_key(c, &key);
	result = store_run_add(c->store, run, buf_whole(&key), why);
	buf_release(&key);
	return result;
}

void
ingest_create(struct call *c)
{
	struct store_run run = { 0 };
	struct create_texts texts = { { 0 }, { 0 } };
	struct buf unpacked = { 0 }, mark = { 0 };
	enum store_result result;
	struct span body;
	struct why why;

	if (ingest_plain_body(c, &body, &unpacked) == 0 &&
	    parse_plan(c, body, &run, &texts) == 0) {
		result = ingest_add(c, &run, &why);
		if (result == STORE_DONE || result == STORE_DUPLICATE)
			result = run_mark_put(c->store, c->owner, run.id,
			    &mark, &why);
		if (result == STORE_DONE)
			reply_created(c, run.id, buf_whole(&mark));
		else
			reply_store(c->reply, result, &why);
	}
	buf_release(&texts.name);
	buf_release(&texts.thresholds);
	buf_release(&unpacked);
	buf_release(&mark);
}
