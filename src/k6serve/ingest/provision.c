/* SPDX-License-Identifier: MIT */
/* Creates load tests, and starts runs of them. */
#include <string.h>

#include "base/random.h"
#include "base/units.h"
#include "k6serve/ingest/ingest.h"
#include "k6serve/ingest/multipart.h"
#include "k6serve/ingest/option_thresholds.h"
#include "k6serve/ingest/provision.h"
#include "k6serve/store/store_load_test.h"
#include "k6serve/view/view.h"

enum {
	STACK = 1,		/* there is one */
	TOKEN_BYTES = 16,	/* random ones of a run's token */
};

/* The numbers of the only stack, for who has a token. */
static void
authenticate(struct call *c)
{
	struct jsn_out o = reply_json(c->reply, 200);

	jsn_open(&o, '{');
	jsn_member_int(&o, "stack_id", STACK);
	jsn_member_int(&o, "default_project_id",
	    PROVISION_PROJECT);
	jsn_close(&o, '}');
}

static void
make_load_test(struct call *c)
{
	struct store_load_test t = { .project = c->run,
	    .created_ns = now_unix_ns(), .owner = call_new_owner(c) };
	enum store_result result;
	struct buf name = { 0 };
	struct jsn_out o;
	struct why why;

	if (!provision_is_project(c))
		return;
	if (!multipart_field(httpd_header(c->r, "Content-Type"), c->r->body,
	    "name", &t.name) || t.name.n == 0) {
		reply_error(c->reply, 400, 0, "the body must be a form "
		    "(multipart/form-data) with a field \"name\"");
		return;
	}
	buf_span(&name, t.name);
	t.name = buf_whole(&name);
	result = store_load_test_add(c->store, c->owner, &t, &why);
	if (result == STORE_CONFLICT) {
		reply_error(c->reply, 409, 0, "the project has a load test "
		    "of that name");
	} else if (result != STORE_DONE) {
		reply_store(c->reply, result, &why);
	} else {
		o = reply_json(c->reply, 201);
		provision_put_load_test(&o, &t);
	}
	buf_release(&name);
}

static void
read_count(struct jsn *j, int64_t *to)
{
	double value;

	if (jsn_peek(j) < '0' || jsn_peek(j) > '9')
		(void)jsn_skip(j);
	else if (jsn_number(j, &value) && value <= PROVISION_ID_MAX)
		*to = (int64_t)value;
}

/* What a run is started with. */
struct start {
	struct store_run run;
	struct buf name, thresholds;
	bool has_archive;
};

static int
parse_start(struct call *c, struct start *s)
{
	struct jsn j = jsn_of(c->r->body);
	int64_t archive = 0;
	struct span key;

	buf_text(&s->thresholds, "{}");
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		if (span_is(key, "max_vus")) {
			read_count(&j, &s->run.vus);
		} else if (span_is(key, "total_duration")) {
			read_count(&j, &s->run.planned_s);
		} else if (span_is(key, "archive_size")) {
			read_count(&j, &archive);
		} else if (span_is(key, "options")) {
			option_thresholds(&j, &s->thresholds);
		} else {
			(void)jsn_skip(&j);
		}
	}
	s->has_archive = archive > 0;
	s->run.thresholds = buf_whole(&s->thresholds);
	if (jsn_done(&j))
		return 0;
	reply_error(c->reply, 400, 0, "%s (byte %zu)", j.error,
	    jsn_column(&j));
	return -1;
}

/* "metrics" and what else the client can be told to send. Only metrics are
 * taken here: other addresses are empty, and k6 sends nothing there. */
static void
put_runtime(struct jsn_out *o, const struct call *c, struct span url,
    const char *secret, int64_t run)
{
	struct buf push = { 0 };

	buf_printf(&push, "%.*s/v2/metrics/%lld", (int)url.n, url.p,
	    (long long)run);
	jsn_key(o, "runtime_config");
	jsn_open(o, '{');
	jsn_key(o, "metrics");
	jsn_open(o, '{');
	jsn_member_text(o, "push_url", buf_whole(&push));
	offer_put_runtime(&ingest_config_of(c)->offer, o);
	jsn_close(o, '}');
	jsn_member_raw(o, "traces", SPAN("{\"push_url\":\"\","
	    "\"traces_metadata\":{},\"proto\":\"\"}"));
	jsn_member_raw(o, "files", SPAN("{\"push_url\":\"\","
	    "\"screenshots_base_path\":\"\",\"headers\":{},"
	    "\"method\":\"\"}"));
	jsn_member_raw(o, "logs", SPAN("{\"push_url\":\"\",\"tail_url\":\"\","
	    "\"limit\":0,\"push_period_seconds\":\"\",\"level\":\"\","
	    "\"message_max_size\":0,\"allowed_labels\":[]}"));
	jsn_member_raw(o, "secrets", SPAN("{\"endpoint\":\"\","
	    "\"response_path\":\"\"}"));
	jsn_member_text(o, "test_run_token", span_of(secret));
	jsn_close(o, '}');
	buf_release(&push);
}

static void
reply_started(struct call *c, const struct start *s, const char *secret)
{
	struct jsn_out o = reply_json(c->reply, 200);
	long long run = (long long)s->run.id;
	struct buf url = { 0 }, text = { 0 };

	call_put_url(c, &url);
	jsn_open(&o, '{');
	jsn_member_int(&o, "test_run_id", run);
	put_runtime(&o, c, buf_whole(&url), secret, run);
	if (s->has_archive) {
		buf_printf(&text, "%s/provisioning/v1/test_runs/%lld/archive",
		    url.p, run);
		jsn_member_text(&o, "archive_upload_url", buf_whole(&text));
	} else {
		provision_null(&o, "archive_upload_url");
	}
	buf_reset(&text);
	buf_printf(&text, "%s/runs/%lld", url.p, run);
	jsn_member_text(&o, "test_run_details_page_url", buf_whole(&text));
	jsn_close(&o, '}');
	buf_release(&url);
	buf_release(&text);
}

/* Make the run and its token. A repeated call, whose first answer was lost,
 * gets the same run and another token, as the first one is not kept. */
static void
add_started(struct call *c, struct start *s)
{
	struct store_started started = { .load_test = c->run };
	enum store_result result = STORE_FAILED;
	char secret[2 * TOKEN_BYTES + 1];
	struct why why;

	random_hex(secret, TOKEN_BYTES);
	if (digest_sha256(span_of(secret), started.hash, &why) == 0)
		result = ingest_add(c, &s->run, &why);
	if (result == STORE_DONE || result == STORE_DUPLICATE) {
		started.run = s->run.id;
		result = store_started_put(c->store, &started, &why);
	}
	if (result == STORE_DONE)
		reply_started(c, s, secret);
	else
		reply_store(c->reply, result, &why);
	explicit_bzero(secret, sizeof(secret));
}

static void
start_run(struct call *c)
{
	struct store_load_test t = { .id = c->run };
	struct start s = { .has_archive = false };
	enum store_result result;
	struct why why;

	result = store_load_test_get(c->store, c->owner, &t, &s.name,
	    &why);
	s.run.project = t.project;
	if (result == STORE_NO_RUN) {
		reply_error(c->reply, 404, 0, "no such load test");
	} else if (result != STORE_DONE) {
		reply_store(c->reply, result, &why);
	} else if (parse_start(c, &s) == 0) {
		ingest_shorten(&s.name);
		if (s.name.n == 0)
			buf_text(&s.name, "k6 test");
		s.run.name = buf_whole(&s.name);
		add_started(c, &s);
	}
	buf_release(&s.name);
	buf_release(&s.thresholds);
}

/* The script is not kept: the client need not know. */
static void
drop_archive(struct call *c)
{
	c->reply->status = 200;
}

static void
run_in_cloud(struct call *c)
{
	reply_error(c->reply, 400, 0, "this server runs no tests: use "
	    "k6 cloud run --local-execution SCRIPT");
}

const struct route provision_routes[] = {
	{ "GET", "/cloud/v6/auth", ACCESS_WRITE, .answer = authenticate },
	{ "POST", "/cloud/v6/projects/*/load_tests", ACCESS_WRITE,
	    .answer = make_load_test, .takes_any_type = true,	/* a form */
	    .names_other = true },
	{ "POST", "/provisioning/v1/load_tests/*/start_local_execution",
	    ACCESS_WRITE, .answer = start_run, .names_other = true },
	{ "PUT", "/provisioning/v1/test_runs/*/archive", ACCESS_OPEN,
	    .answer = drop_archive, .takes_any_type = true },
	{ "POST", "/provisioning/v1/test_runs/*/notify", ACCESS_WRITE,
	    .answer = provision_notify, .takes_run_token = true },
	{ "POST", "/cloud/v6/validate_options", ACCESS_OPEN,
	    .answer = run_in_cloud },
	{ "POST", "/cloud/v6/load_tests/*/start", ACCESS_OPEN,
	    .answer = run_in_cloud, .names_other = true },
	{ "PUT", "/cloud/v6/load_tests/*/script", ACCESS_OPEN,
	    .answer = run_in_cloud, .takes_any_type = true,
	    .names_other = true },
	{ "GET", "/cloud/v6/test_runs/*", ACCESS_READ,
	    .answer = provision_show },
	{ "DELETE", "/cloud/v6/test_runs/*", ACCESS_WRITE,
	    .answer = provision_remove },
	{ "PATCH", "/cloud/v6/test_runs/*", ACCESS_WRITE,
	    .answer = provision_change },
	{ "POST", "/cloud/v6/test_runs/*/abort", ACCESS_WRITE,
	    .answer = provision_abort },
	{ "POST", "/cloud/v6/test_runs/*/star", ACCESS_WRITE,
	    .answer = provision_mark },
	{ "POST", "/cloud/v6/test_runs/*/unstar", ACCESS_WRITE,
	    .answer = provision_mark },
	{ "POST", "/cloud/v6/test_runs/*/save", ACCESS_WRITE,
	    .answer = provision_mark },
	{ "POST", "/cloud/v6/test_runs/*/unsave", ACCESS_WRITE,
	    .answer = provision_mark },
	{ "GET", "/cloud/v6/test_runs/*/script", ACCESS_READ,
	    .answer = provision_script },
	{ "GET", "/cloud/v6/test_runs/*/distribution", ACCESS_READ,
	    .answer = provision_distribution },
	{ "GET", "/cloud/v6/test_runs", ACCESS_READ,
	    .answer = provision_runs },
	{ "GET", "/cloud/v6/load_tests/*/test_runs", ACCESS_READ,
	    .answer = provision_runs, .names_other = true },
	{ "GET", "/cloud/v6/load_tests/*", ACCESS_READ,
	    .answer = provision_load_test, .names_other = true },
	{ "GET", "/cloud/v6/projects/*/load_tests", ACCESS_READ,
	    .answer = provision_load_tests, .names_other = true },
	{ "GET", "/cloud/v6/projects", ACCESS_READ,
	    .answer = provision_projects },
	{ "GET", "/cloud/v6/load_zones", ACCESS_READ,
	    .answer = provision_load_zones },
	{ 0 },
};
