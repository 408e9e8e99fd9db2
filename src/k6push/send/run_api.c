/* SPDX-License-Identifier: MIT */
/* The calls that create a run, announce a pusher and finish the run. */
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/units.h"
#include "data/jsn.h"
#include "io/url.h"
#include "k6push/send/run_api_priv.h"

/* A token with a control character would end the header early. */
static int
check_token(const struct settings *s, enum setting id,
    struct why *why)
{
	const char *p = settings_text(s, id);

	for (; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return why_set(why, "the token (K6_CLOUD_%s) has a "
			    "line end or another control character",
			    id == SET_TOKEN ? "TOKEN" : "TEST_RUN_TOKEN");
	return 0;
}

struct run_api *
run_api_new(const struct run_api_config *config, struct why *why)
{
	struct settings *settings = config->settings;
	const char *host = config->remote != NULL ? config->remote
	    : settings_text(settings, SET_HOST);
	const char *token = config->remote != NULL ? NULL
	    : settings_text(settings, SET_TOKEN);
	struct run_api *c;

	if (check_token(settings, SET_TOKEN, why) < 0 ||
	    check_token(settings, SET_TEST_RUN_TOKEN, why) < 0 ||
	    url_check_server(host, token != NULL, config->allows_http,
		why) < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->stored_batches = -1;
	c->fetcher = config->fetcher;
	c->settings = settings;
	c->allows_http = config->allows_http;
	c->is_patient = config->is_patient;
	c->has_no_api = config->remote != NULL;
	c->host = xstrdup(host);
	c->token = token != NULL ? xstrdup(token) : NULL;
	return c;
}

void
run_api_free(struct run_api *c)
{
	if (c == NULL)
		return;
	if (c->token != NULL)
		explicit_bzero(c->token, strlen(c->token));
	free(c->host);
	free(c->token);
	free(c->url);
	free(c->ingest_host);
	free(c->page_url);
	free(c->id);
	free(c->escaped_id);
	free(c->database);
	free(c->own_instance);
	buf_release(&c->body);
	buf_release(&c->config);
	buf_release(&c->announcement);
	free(c);
}

enum run_api_state
run_api_state(const struct run_api *c)
{
	return c->state;
}

struct run_facts
run_api_facts(const struct run_api *c)
{
	return (struct run_facts){ .id = c->id, .escaped_id = c->escaped_id,
	    .ingest_host = c->ingest_host, .page_url = c->page_url,
	    .database = c->database,
	    .config = buf_whole(&c->config), .is_borrowed = c->is_borrowed,
	    .is_removed = c->is_removed,
	    .is_announced = c->is_announced || c->announce_failures > 0,
	    .own_instance = c->own_instance, .run_status = c->run_status,
	    .result_status = c->result_status,
	    .has_stored = c->has_stored,
	    .stored_requests = c->stored_requests,
	    .stored_batches = c->stored_batches,
	    .unknown = c->unknown };
}

const char *
run_api_host(const struct run_api *c)
{
	return c->host;
}

void
run_api_adopt(struct run_api *c, const struct run_known *known)
{
	if (c->has_no_api) {
		c->id = xstrdup(known->id);
		c->page_url = url_mask(c->host);
		c->state = RUN_API_CREATED;
		return;
	}
	c->is_borrowed = known->is_borrowed;
	if (known->database != NULL)
		run_api_take_database(c, span_of(known->database));
	run_api_take_config(c, known->config);
	(void)run_api_take_id(c, known->id, known->from);
}

/* Write the header that says of which database the run is. False: it is not
 * known. */
static bool
put_database(const struct run_api *c, char *text, size_t size)
{
	if (c->database == NULL)
		return false;
	(void)snprintf(text, size, RUN_DATABASE_HEADER ": %s", c->database);
	return true;
}

static void
start_call(struct run_api *c)
{
	int n = 2;
	int64_t stack = settings_int(c->settings, SET_STACK_ID);
	char *keyed = c->is_key_in_url
	    ? xasprintf("%s?key=%s", c->url, c->key) : NULL;
	char key[48], stack_id[32];
	char database[64];
	const char *headers[] = { "Content-Type: application/json", key,
	    NULL, NULL, NULL };
	struct fetch_request request = {
	    .url = keyed != NULL ? keyed : c->url, .headers = headers,
	    .token = c->token, .is_post = true,
	    .body = { c->body.p, c->body.n } };
	struct why why;

	(void)snprintf(key, sizeof(key), "K6-Idempotency-Key: %s", c->key);
	(void)snprintf(stack_id, sizeof(stack_id), "X-Stack-Id: %lld",
	    (long long)stack);
	if (put_database(c, database, sizeof(database)))
		headers[n++] = database;
	if (stack != 0)
		headers[n++] = stack_id;
	c->state = RUN_API_CALLING;
	if (fetch_start(c->fetcher, &request, run_api_on_reply, c, &why) < 0) {
		warnf("%s", why.text);
		c->state = RUN_API_FAILED;
	}
	free(keyed);
}

static void
start_announcement(struct run_api *c)
{
	char database[64];
	const char *const headers[] = { "Content-Type: application/json",
	    put_database(c, database, sizeof(database)) ? database : NULL,
	    NULL };
	char *url = xasprintf("%s/v1/tests/%s/instances", c->host,
	    c->escaped_id);
	struct fetch_request request = { .url = url, .headers = headers,
	    .token = c->token, .is_post = true,
	    .body = buf_whole(&c->announcement) };

	c->is_announcing = fetch_start(c->fetcher, &request,
	    run_api_on_announced, c, NULL) == 0;
	c->is_announced = !c->is_announcing;
	free(url);
}

void
run_api_start(struct run_api *c)
{
	int64_t now = now_monotonic_ns();

	if (c->state == RUN_API_WAITING && now >= c->retry_at_ns)
		start_call(c);
	if (c->state == RUN_API_CREATED && c->instance != NULL &&
	    !c->is_announced && !c->is_announcing && now >= c->announce_at_ns)
		start_announcement(c);
}

void
run_api_create(struct run_api *c, const struct run_plan *plan,
    const char *key)
{
	const char *ref = settings_text(c->settings, SET_PUSH_REF_ID);
	int64_t project = settings_int(c->settings, SET_PROJECT_ID);
	struct jsn_out o = { .to = &c->body };

	if (ref != NULL) {
		c->is_borrowed = true;
		(void)run_api_take_id(c, ref, "K6_CLOUD_PUSH_REF_ID");
		return;
	}
	if (project == 0)
		project = settings_int(c->settings, SET_DEFAULT_PROJECT_ID);
	jsn_open(&o, '{');
	jsn_key(&o, "name");
	jsn_put_text(&o, span_of(plan->name));
	if (project != 0) {
		jsn_key(&o, "project_id");
		jsn_put_int(&o, project);
	}
	jsn_key(&o, "vus");
	jsn_put_int(&o, plan->vus);
	jsn_key(&o, "thresholds");
	jsn_put_raw(&o, plan->thresholds);
	if (plan->is_shared) {
		jsn_key(&o, "process_thresholds");
		jsn_put_bool(&o, true);
	}
	jsn_key(&o, "duration");
	jsn_put_int(&o, plan->duration_ns > 0 ? plan->duration_ns / NS_PER_S
	    : -1);
	jsn_close(&o, '}');
	c->url = xasprintf("%s/v1/tests", c->host);
	c->key = key;
	/* A proxy may take the header away, but not this. The cloud itself gets
	 * what k6 sends. */
	c->may_key_url = c->settings->v[SET_HOST].source != FROM_DEFAULT;
	c->is_key_in_url = c->may_key_url;
	start_call(c);
}

/* {"name","result_status","run_status",...} of the finish call, or of an
 * instance. */
static void
print_state(const struct run_api *c, const struct run_result *result,
    struct buf *out)
{
	struct jsn_out o = { .to = out };

	jsn_open(&o, '{');
	if (c->is_borrowed) {
		jsn_member_text(&o, "name", span_of(c->instance));
		jsn_member_text(&o, "id", span_of(c->instance_id));
	}
	jsn_member_int(&o, "result_status", result->result_status);
	jsn_member_int(&o, "run_status", result->run_status);
	jsn_member_raw(&o, "thresholds", result->thresholds);
	if (result->start_ns != 0)
		jsn_member_time(&o, "data_start", result->start_ns);
	if (result->end_ns != 0)
		jsn_member_time(&o, "data_end", result->end_ns);
	if (result->start_ns != 0 && result->is_dated)
		jsn_member_time(&o, "start", result->start_ns);
	if (result->end_ns != 0 && result->is_dated)
		jsn_member_time(&o, "end", result->end_ns);
	if (result->is_worst) {
		jsn_key(&o, "worst_of_instances");
		jsn_put_bool(&o, true);
	}
	jsn_close(&o, '}');
}

void
run_api_finish(struct run_api *c, const struct run_result *result,
    const char *key)
{
	if (c->has_no_api || (c->is_borrowed && c->instance == NULL)) {
		c->state = RUN_API_FINISHED;
		return;
	}
	buf_reset(&c->body);
	print_state(c, result, &c->body);
	free(c->url);
	c->url = xasprintf("%s/v1/tests/%s%s", c->host, c->escaped_id,
	    c->is_borrowed ? "/instances" : "");
	c->key = key;
	c->is_key_in_url = false;	/* to finish twice changes nothing */
	c->is_finishing = true;
	start_call(c);
}

void
run_api_announce(struct run_api *c, const char *instance, const char *id)
{
	struct run_result running = { .run_status = RUN_RUNNING,
	    .thresholds = SPAN("{}") };

	c->instance = instance;
	c->instance_id = id;
	buf_reset(&c->announcement);
	print_state(c, &running, &c->announcement);
	start_announcement(c);
}
