/* SPDX-License-Identifier: MIT */
/*
 * A push by remote write: its labels, its credentials, and which receiver
 * answers.
 */
#include "k6push/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/random.h"
#include "base/units.h"
#include "io/url.h"
#include "k6push/send/outcome_remote.h"
#include "k6push/wire/wire_rw.h"

enum { PROBE_MS = 3000, CHANCE = 6, TENANT_MAX = 150 };

#define HEADERS_ENV "K6_PROMETHEUS_RW_HEADERS_"

/* Add a header, of which nothing may end it early. */
static int
add_header(struct remote *r, const char *name, size_t n, const char *value,
    struct why *why)
{
	char *line = xasprintf("%.*s: %s", (int)n, name, value);
	const char *p;

	for (p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			break;
	if (*p != '\0' || n == 0) {
		free(line);
		return why_set(why, "a header of K6_PROMETHEUS_RW_HEADERS_* "
		    "or _HTTP_HEADERS has no name, or contains a line end");
	}
	opt_list_add(&r->headers, line);
	return 0;
}

/* K6_PROMETHEUS_RW_HEADERS_<NAME>=value */
static int
take_environment(struct remote *r, struct why *why)
{
	const char *name, *equals;
	char **at;

	for (at = environ; *at != NULL; at++) {
		if (strncmp(*at, HEADERS_ENV, sizeof(HEADERS_ENV) - 1) != 0)
			continue;
		name = *at + sizeof(HEADERS_ENV) - 1;
		equals = strchr(name, '=');
		if (equals != NULL && add_header(r, name,
		    (size_t)(equals - name), equals + 1, why) < 0)
			return -1;
	}
	return 0;
}

/* "NAME:VALUE,NAME:VALUE", as k6 reads it. */
static int
take_list(struct remote *r, const char *list, struct why *why)
{
	const char *colon;
	char *value;
	size_t n;
	int status;

	while (list != NULL && list[0] != '\0') {
		n = strcspn(list, ",");
		colon = memchr(list, ':', n);
		if (colon == NULL)
			return why_set(why, "K6_PROMETHEUS_RW_HTTP_HEADERS: "
			    "not NAME:VALUE,...");
		value = xstrndup(colon + 1, n - (size_t)(colon + 1 - list));
		status = add_header(r, list, (size_t)(colon - list), value,
		    why);
		free(value);
		if (status < 0)
			return -1;
		list += n + (list[n] == ',');
	}
	return 0;
}

/* Basic authentication, a token, or a signature. */
static int
take_access(struct remote *r, struct why *why)
{
	const struct settings *s = r->settings;
	const char *token = settings_text(s, SET_RW_BEARER_TOKEN);
	const char *region = settings_text(s, SET_RW_SIGV4_REGION);
	const char *key = settings_text(s, SET_RW_SIGV4_ACCESS_KEY);
	const char *secret = settings_text(s, SET_RW_SIGV4_SECRET_KEY);
	char *bearer;
	int status;

	r->access.user = settings_text(s, SET_RW_USERNAME);
	r->access.password = settings_text(s, SET_RW_PASSWORD);
	if (region != NULL || key != NULL || secret != NULL) {
		if (region == NULL || key == NULL || secret == NULL)
			return why_set(why, "K6_PROMETHEUS_RW_SIGV4_REGION, "
			    "_ACCESS_KEY and _SECRET_KEY go together");
		r->sigv4 = xasprintf("aws:amz:%s:aps", region);
		r->access = (struct fetch_access){ .user = key,
		    .password = secret, .aws_sigv4 = r->sigv4 };
	}
	if (token == NULL)
		return 0;
	bearer = xasprintf("Bearer %s", token);
	status = add_header(r, "Authorization", 13, bearer, why);
	explicit_bzero(bearer, strlen(bearer));
	free(bearer);
	return status;
}

/* Mimir's rule, as its answer to others is not always an error. */
static bool
is_tenant(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ!-_.*'()");

	return n <= TENANT_MAX && text[n] == '\0' && strcmp(text, ".") != 0 &&
	    strcmp(text, "..") != 0;
}

static int
take_headers(struct remote *r, struct why *why)
{
	const char *tenant = settings_text(r->settings, SET_RW_TENANT);

	if (take_environment(r, why) < 0 || take_list(r, settings_text(
	    r->settings, SET_RW_HEADERS), why) < 0 || take_access(r, why) < 0)
		return -1;
	if (tenant != NULL && !is_tenant(tenant))
		return why_set(why, "--tenant: not a tenant: \"%.60s\" (at "
		    "most %d letters, digits and !-_.*'())", tenant,
		    TENANT_MAX);
	/* Mimir and Cortex know one name, Thanos the other. */
	if (tenant != NULL && (add_header(r, "X-Scope-OrgID", 13, tenant,
	    why) < 0 || add_header(r, "THANOS-TENANT", 13, tenant, why) < 0))
		return -1;
	opt_list_add(&r->headers, NULL);
	r->headers.n--;
	r->access.headers = r->headers.items;
	return 0;
}

/* A name that no other run has. */
static char *
made_testid(void)
{
	char stamp[TIME_TEXT], chance[CHANCE + 1], *p;

	(void)time_print(stamp, now_unix_ns() / NS_PER_S * NS_PER_S);
	while ((p = strpbrk(stamp, "-:")) != NULL)
		(void)memmove(p, p + 1, strlen(p));
	random_hex(chance, CHANCE / 2);
	return xasprintf("%s-%s", stamp, chance);
}

static int
check_settings(const struct settings *s, struct why *why)
{
	const char *out = settings_text(s, SET_OUT);
	const char *tls = settings_text(s, SET_RW_TLS_VERSION);

	if (strcmp(out, "prometheus-rw") != 0 &&
	    strcmp(out, "experimental-prometheus-rw") != 0)
		return why_set(why, "--out: \"%s\" is neither cloud nor "
		    "prometheus-rw", out);
	if (strcmp(tls, "1.2") != 0 && strcmp(tls, "1.3") != 0)
		return why_set(why, "K6_PROMETHEUS_RW_TLS_MINIMUM_VERSION: "
		    "\"%s\" is neither 1.2 nor 1.3", tls);
	if ((settings_text(s, SET_RW_CERT) == NULL) !=
	    (settings_text(s, SET_RW_CERT_KEY) == NULL))
		return why_set(why, "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE and "
		    "_CLIENT_CERTIFICATE_KEY go together");
	return 0;
}

int
remote_init(struct remote *r, struct settings *s, struct why *why)
{
	const char *testid = settings_text(s, SET_RW_TESTID);

	*r = (struct remote){ .settings = s };
	if (strcmp(settings_text(s, SET_OUT), "cloud") == 0)
		return 0;
	r->is_chosen = true;
	if (check_settings(s, why) < 0 ||
	    running_configure(&r->config, s, why) < 0 ||
	    take_headers(r, why) < 0)
		return -1;
	if (testid == NULL)
		testid = settings_text(s, SET_PUSH_REF_ID);
	r->config.keeps_testid = testid == NULL;
	r->testid = testid != NULL ? xstrdup(testid) : made_testid();
	r->config.testid = r->testid;
	return 0;
}

void
remote_release(struct remote *r)
{
	char *line;
	size_t i;

	for (i = 0; i < r->headers.n; i++) {
		line = (char *)(uintptr_t)r->headers.items[i];
		explicit_bzero(line, strlen(line));
		free(line);
	}
	opt_list_release(&r->headers);
	free(r->sigv4);
	free(r->testid);
	*r = (struct remote){ 0 };
}

void
remote_fetch_options(const struct remote *r, struct fetch_options *o)
{
	const struct settings *s = r->settings;

	if (!r->is_chosen)
		return;
	o->is_insecure = settings_bool(s, SET_RW_INSECURE);
	o->needs_tls13 = strcmp(settings_text(s, SET_RW_TLS_VERSION),
	    "1.3") == 0;
	o->cert_file = settings_text(s, SET_RW_CERT);
	o->key_file = settings_text(s, SET_RW_CERT_KEY);
}

/* Set what only the receiver knows. */
static void
set_by_receiver(struct remote *r, enum setting which, const char *value)
{
	(void)settings_set(r->settings, which, value, FROM_SERVER, NULL);
}

bool
remote_learn(void *ctx, const struct wire_message *m,
    const struct fetch_reply *reply)
{
	struct remote *r = ctx;

	/* VictoriaMetrics says on which host it is, and drops native histograms
	 * without a word. */
	if (!rw_form_is_set(r->settings) && reply->status != 0 &&
	    fetch_header(reply, "X-Server-Hostname") != NULL)
		set_by_receiver(r, SET_RW_FORM, "vmrange");
	if (settings_int(r->settings, SET_RW_VERSION) == 2 && m != NULL &&
	    outcome_remote_is_of_1(reply, m->values)) {
		warnf("the receiver knows only remote write 1.0");
		set_by_receiver(r, SET_RW_VERSION, "1");
	}
	/* Others may be under way as they were asked for before. */
	return m != NULL && m->variant != rw_variant(r->settings);
}

/* The answer to a write of nothing. */
struct probe {
	struct remote *remote;
	const char *url;
	bool is_over, is_bad;
	struct buf text;
};

static void
on_probed(void *ctx, const struct fetch_reply *reply)
{
	struct probe *probe = ctx;
	enum outcome outcome = outcome_remote(reply);

	probe->is_over = true;
	if (outcome == OUTCOME_RETRY)
		return;
	(void)remote_learn(probe->remote, NULL, reply);
	if (outcome == OUTCOME_ACKED)
		return;
	probe->is_bad = true;
	outcome_remote_describe(reply, probe->url, &probe->text);
	if (outcome == OUTCOME_REFUSED)
		buf_text(&probe->text, " (is K6_PROMETHEUS_RW_SERVER_URL that "
		    "of a remote write receiver?)");
}

int
remote_probe(struct remote *r, struct fetcher *f, struct why *why)
{
	static const char *const headers[] = {
		"Content-Type: application/x-protobuf",
		"Content-Encoding: snappy",
		"X-Prometheus-Remote-Write-Version: 0.1.0", NULL };
	struct probe probe = { .remote = r,
	    .url = settings_text(r->settings, SET_RW_URL) };
	struct fetch_request request = { .url = probe.url, .headers = headers,
	    .access = &r->access, .is_post = true, .body = { "\0", 1 } };
	int64_t until = now_monotonic_ns() + PROBE_MS * NS_PER_MS;
	int status = 0;

	if (fetch_start(f, &request, on_probed, &probe, why) < 0)
		return -1;
	while (!probe.is_over && now_monotonic_ns() < until)
		(void)fetcher_wait(f, -1, 50);
	if (!probe.is_over)
		fetch_cancel(f, &probe);
	if (probe.is_bad)
		status = why_set(why, "%s", probe.text.p);
	buf_release(&probe.text);
	return status;
}
