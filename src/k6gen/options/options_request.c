/* SPDX-License-Identifier: MIT */
/* The options that say what is sent, and how. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/die.h"
#include "base/file.h"
#include "k6gen/http/certs.h"
#include "k6gen/http/header.h"
#include "k6gen/options/form.h"
#include "k6gen/options/options.h"
#include "k6gen/targets/target.h"

enum { BODY_MAX = 1 << 30, SECRET_MAX = 1 << 16 };

static int
fail(const char *text)
{
	warnf("%s", text);
	return EXIT_FAILED;
}

/* What curl would miss only when it connects. */
static int
check_files(const struct options *o, struct why *why)
{
	const struct http_options *s = &o->plan.http;

	return certs_check(s->ca_file, s->cert_file, s->key_file, why);
}

/* Cut the part up to the next colon outside brackets, which IPv6 addresses
 * stand in. False: there is no colon, and the part is all of it. */
static bool
cut_at_colon(const char **text, struct span *part)
{
	bool is_inside = false;
	const char *p = *text;

	for (; *p != '\0' && (*p != ':' || is_inside); p++)
		if (*p == '[' || *p == ']')
			is_inside = *p == '[';
	*part = (struct span){ *text, (size_t)(p - *text) };
	*text = *p == ':' ? p + 1 : p;
	return *p == ':';
}

/* 1 to 65535 */
static bool
is_port(struct span s)
{
	size_t i;
	int port = 0;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && i < 5; i++)
		port = port * 10 + s.p[i] - '0';
	return i == s.n && port >= 1 && port <= 65535;
}

static bool
is_address(struct span s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = (struct span){ s.p + 1, s.n - 2 };
	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 ||
	    inet_pton(AF_INET6, text, &address) == 1;
}

/* H:P:H2:P2, of which each part may be empty. */
static bool
is_detour(const char *text)
{
	struct span host, from, to;

	return cut_at_colon(&text, &host) && cut_at_colon(&text, &from) &&
	    cut_at_colon(&text, &host) && !cut_at_colon(&text, &to) &&
	    (from.n == 0 || is_port(from)) && (to.n == 0 || is_port(to));
}

/* HOST:PORT:ADDRESS,ADDRESS...; IPv6 needs no brackets there. */
static bool
is_resolved(const char *text)
{
	struct span host, port;
	size_t n;

	if (!cut_at_colon(&text, &host) || !cut_at_colon(&text, &port) ||
	    !is_port(port))
		return false;
	for (;;) {
		n = strcspn(text, ",");
		if (!is_address((struct span){ text, n }))
			return false;
		if (text[n] == '\0')
			return true;
		text += n + 1;
	}
}

/* curl passes over what it does not understand of these. */
static int
check_network(const struct options *o)
{
	static const struct sockaddr_un place;
	static const char *const schemes[] = { "http://", "https://",
		"socks4://", "socks4a://", "socks5://", "socks5h://" };
	const char *proxy = o->plan.http.proxy;
	bool is_known = proxy == NULL || strstr(proxy, "://") == NULL;
	size_t i;

	for (i = 0; i < o->connect_to.n; i++)
		if (!is_detour(o->connect_to.items[i]))
			return opt_misuse("--connect-to: not H:P:H2:P2: "
			    "\"%s\"", o->connect_to.items[i]);
	for (i = 0; i < o->resolve.n; i++)
		if (!is_resolved(o->resolve.items[i]))
			return opt_misuse("--resolve: not HOST:PORT:ADDRESS: "
			    "\"%s\"", o->resolve.items[i]);
	if (o->plan.http.unix_socket != NULL &&
	    strlen(o->plan.http.unix_socket) >= sizeof(place.sun_path))
		return opt_misuse("--unix-socket: longer than %zu bytes",
		    sizeof(place.sun_path) - 1);
	for (i = 0; !is_known && i < sizeof(schemes) / sizeof(schemes[0]);
	    i++)
		is_known = strncasecmp(proxy, schemes[i],
		    strlen(schemes[i])) == 0;
	return is_known ? OPT_CONTINUE : opt_misuse("--proxy: unsupported "
	    "scheme: \"%.*s\" (http, https, socks4, socks4a, socks5, "
	    "socks5h)", (int)(strstr(proxy, "://") - proxy), proxy);
}

/* A secret, or the first line of a file: processes can see each other's
 * arguments. */
static int
read_secret(const char *text, struct buf *secret, struct why *why)
{
	int status;

	buf_reset(secret);
	if (text[0] != '@') {
		buf_text(secret, text);
		return 0;
	}
	status = file_read(text + 1, SECRET_MAX, secret, why);
	if (status > 0)
		return why_set(why, "%s: %s", text + 1, strerror(ENOENT));
	if (status < 0)
		return -1;
	buf_char(secret, '\0');
	secret->n = strcspn(secret->p, "\r\n");
	secret->p[secret->n] = '\0';
	return 0;
}

static bool
has_placeholder(const struct options *o, const char *text)
{
	return !o->is_raw && strstr(text, "{{") != NULL;
}

/* A header of all requests, with placeholders or without. */
static void
add_line(struct options *o, const char *line)
{
	opt_list_add(has_placeholder(o, line) ? &o->filled : &o->lines, line);
}

static int
add_secrets(struct options *o, struct why *why)
{
	struct buf secret = { 0 };
	int status = 0;

	if (o->user != NULL) {
		status = read_secret(o->user, &secret, why);
		if (status == 0 && has_placeholder(o, secret.p)) {
			o->basic_template = xstrdup(secret.p);
		} else if (status == 0) {
			o->basic = form_basic_header(buf_whole(&secret));
			opt_list_add(&o->lines, o->basic);
		}
	}
	if (o->bearer != NULL && status == 0) {
		status = read_secret(o->bearer, &secret, why);
		if (status == 0) {
			o->bearer_line = xasprintf("Authorization: Bearer %s",
			    secret.p);
			if (target_check_header(span_of(o->bearer_line),
			    why) < 0)
				status = why_set(why, "--bearer: a control "
				    "character in it");
			add_line(o, o->bearer_line);
		}
	}
	buf_release(&secret);
	return status;
}

static void
add_cookies(struct options *o)
{
	struct buf line = { 0 };
	size_t i;

	for (i = 0; i < o->cookies.n; i++)
		buf_printf(&line, "%s%s", i == 0 ? "Cookie: " : "; ",
		    o->cookies.items[i]);
	o->cookie_line = line.p;
	if (line.n > 0)
		add_line(o, o->cookie_line);
}

static void
add_agent(struct options *o)
{
	if (!has_placeholder(o, o->plan.http.user_agent))
		return;
	o->agent_line = xasprintf("User-Agent: %s", o->plan.http.user_agent);
	add_line(o, o->agent_line);
}

static bool
has_header(const struct options *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->headers.n; i++)
		if (strncasecmp(o->headers.items[i], name, strlen(name)) == 0)
			return true;
	return false;
}

/* All of stdin. */
static int
read_stdin(struct buf *out, struct why *why)
{
	char bytes[1 << 16];
	ssize_t n;

	while ((n = descriptor_read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		if (out->n + (size_t)n > BODY_MAX)
			return why_set(why, "stdin: more than 1 GB");
		buf_add(out, bytes, (size_t)n);
	}
	return n < 0 ? why_set(why, "stdin: %s", strerror(errno)) : 0;
}

static int
set_body(struct options *o, struct why *why)
{
	int status;

	if (o->json != NULL) {
		o->body = o->json;
		if (!has_header(o, "Content-Type:"))
			opt_list_add(&o->lines,
			    "Content-Type: application/json");
	}

	if (o->form.n > 0) {
		struct form f = { .body = &o->body_bytes };

		status = form_make(&f, &o->form, why);
		o->form_type = f.type;
		o->body_files = f.files;
		o->n_body_files = f.n_files;
		if (status < 0)
			return -1;
		opt_list_add(&o->lines, o->form_type);
	} else if (o->body != NULL && o->body[0] == '@') {
		status = strcmp(o->body, "@-") == 0 ?
		    read_stdin(&o->body_bytes, why) :
		    file_read(o->body + 1, BODY_MAX, &o->body_bytes, why);
		if (status > 0)
			return why_set(why, "%s: %s", o->body + 1,
			    strerror(ENOENT));
		if (status < 0)
			return -1;
		o->body_files = xcalloc(1, sizeof(*o->body_files));
		o->body_files[0].n = o->body_bytes.n;
		o->n_body_files = 1;
	} else if (o->body != NULL) {
		buf_text(&o->body_bytes, o->body);
	}
	return 0;
}

/* Headers that can be there only once. */
static int
check_headers(const struct options *o)
{
	if (o->form.n > 0 && has_header(o, "Content-Type:"))
		return opt_misuse("--form and a header Content-Type: the form "
		    "has its own, with the boundary of its parts");

	if ((o->user != NULL) + (o->bearer != NULL) +
	    has_header(o, "Authorization:") > 1)
		return opt_misuse("--user, --bearer and a header "
		    "Authorization: only one of them");
	return OPT_CONTINUE;
}

/* Headers that a placeholder fills stand in place of those of the same name
 * that all requests share: these go with them. */
static void
keep_names_together(struct options *o)
{
	struct http_texts filled;
	size_t i, n = 0, n_filled = o->filled.n;

	for (i = 0; i < o->lines.n; i++) {
		filled = (struct http_texts){ o->filled.items, n_filled };
		if (header_is_in(&filled, o->lines.items[i]))
			opt_list_add(&o->filled, o->lines.items[i]);
		else
			o->lines.items[n++] = o->lines.items[i];
	}
	o->lines.n = n;
}

/* Headers with secrets, body, CSV. */
static int
set_request(struct options *o, struct why *why)
{
	struct plan *p = &o->plan;
	size_t i;

	for (i = 0; i < o->headers.n; i++)
		add_line(o, o->headers.items[i]);
	add_cookies(o);
	keep_names_together(o);
	if (add_secrets(o, why) < 0 || set_body(o, why) < 0)
		return -1;
	add_agent(o);
	p->http.headers = (struct http_texts){ o->lines.items,
		o->lines.n };
	p->http.connect_to = (struct http_texts){ o->connect_to.items,
		o->connect_to.n };
	p->http.resolve = (struct http_texts){ o->resolve.items,
		o->resolve.n };
	p->is_row_random = o->is_random;
	return o->data != NULL ? rows_read(&o->rows, o->data, why) : 0;
}

static int
set_targets(struct options *o, char *const *urls, int n_urls)
{
	struct plan *p = &o->plan;
	struct target_defaults d = { .method = o->method, .name = o->name,
		.headers = &o->filled, .rows = &o->rows,
		.is_raw = o->is_raw, .is_template = o->is_template,
		.basic = o->basic_template, .is_base64 = o->is_base64 };
	struct why why;

	if (o->body != NULL || o->form.n > 0)
		d.body = buf_whole(&o->body_bytes);
	if (!o->is_template) {
		d.files = o->body_files;
		d.n_files = o->n_body_files;
	}
	if (o->targets != NULL) {
		p->targets = targets_of_file(o->targets, o->is_random, &d,
		    &why);
		return p->targets != NULL ? OPT_CONTINUE : fail(why.text);
	}
	p->targets = targets_of_urls(urls, n_urls, &d, &why);
	return p->targets != NULL ? OPT_CONTINUE : opt_misuse("%s",
	    why.text);
}

int
options_set_request(struct options *o, char *const *urls, int n_urls)
{
	struct why why;
	int status = check_network(o);

	if (status == OPT_CONTINUE)
		status = check_headers(o);
	if (status == OPT_CONTINUE && (check_files(o, &why) < 0 ||
	    set_request(o, &why) < 0))
		status = fail(why.text);
	if (status == OPT_CONTINUE)
		status = set_targets(o, urls, n_urls);
	return status;
}
