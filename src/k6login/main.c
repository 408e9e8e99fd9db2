/* SPDX-License-Identifier: MIT */
/*
 * k6login: keep the API token in k6's own config file, where k6 and k6push
 * find it. A token is never printed in clear unless asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/die.h"
#include "base/opt.h"
#include "data/settings.h"
#include "io/config.h"
#include "k6login/ask.h"

enum { TOKEN_MAX = 4096, SHOWN = 4, SHORT = 12 };

struct options {
	const char *token;
	const char *config_file;
	const char *stack;
	const char *host;
	const char *ca_file;
	bool wants_show, is_plain, wants_reset, wants_check, wants_path;
	bool allows_http, wants_legacy;
};

/* A token as it was typed or piped: blanks and line ends around it go, the
 * rest must be one word of printable ASCII. In place; -1: why. */
static int
clean_token(char *token, size_t n, struct why *why)
{
	size_t start = 0, i;

	while (n > 0 && strchr(" \t\r\n", token[n - 1]) != NULL &&
	    token[n - 1] != '\0')
		n--;
	while (start < n && strchr(" \t\r\n", token[start]) != NULL &&
	    token[start] != '\0')
		start++;
	if (start == n)
		return why_set(why, "the token is empty");
	for (i = start; i < n; i++)
		if (token[i] <= ' ' || token[i] > '~')
			return why_set(why, "the token holds a blank, a "
			    "second line or a byte that is not ASCII");
	memmove(token, token + start, n - start);
	token[n - start] = '\0';
	return 0;
}

/* Ask on the terminal, without echo. */
static ssize_t
prompt(char *token, size_t size)
{
	struct termios old, hidden;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &old) < 0)
		return -1;
	hidden = old;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* Before it is asked for, as it may be typed at once. */
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	say("Token: ");
	n = descriptor_read(STDIN_FILENO, token, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	say("\n");
	return n;
}

/* Read a token from stdin into token[TOKEN_MAX + 1]. */
static int
read_token(char *token, struct why *why)
{
	size_t n = 0;
	ssize_t got = 0;

	if (isatty(STDIN_FILENO)) {
		got = prompt(token, TOKEN_MAX);
		n = got > 0 ? (size_t)got : 0;
	} else {
		while (n <= TOKEN_MAX && (got = descriptor_read(
		    STDIN_FILENO, token + n, TOKEN_MAX + 1 - n)) > 0)
			n += (size_t)got;
	}
	if (got < 0)
		return why_set(why, "cannot read stdin");
	if (n > TOKEN_MAX)
		return why_set(why, "the token is longer than %d bytes",
		    (int)TOKEN_MAX);
	return clean_token(token, n, why);
}

/* The token of --token, which is wiped from the command line, or of stdin. */
static int
take_token(const struct options *o, char *token, struct why *why)
{
	size_t n;

	if (o->token == NULL || strcmp(o->token, "-") == 0)
		return read_token(token, why);
	n = strlen(o->token);
	if (n > TOKEN_MAX)
		return why_set(why, "the token is longer than %d bytes",
		    (int)TOKEN_MAX);
	memcpy(token, o->token, n + 1);
	explicit_bzero((char *)o->token, n);
	return clean_token(token, n, why);
}

/* What is in force: file, environment, flags. */
static int
load_settings(const struct options *o, struct settings *s, struct why *why)
{
	int status = config_load(o->config_file, s, why);

	if (status == 0)
		status = settings_from_env(s, why);
	if (status == 0 && o->host != NULL)
		status = settings_set(s, SET_HOST, o->host, FROM_FLAG, why);
	if (status == 0 && o->host != NULL)
		status = settings_set(s, SET_HOST_V6, o->host, FROM_FLAG, why);
	return status;
}

/* Write the login (without a token: none) to the file of today's k6, and to
 * that of k6 up to v0.57 where there is one or one is asked for. */
static int
store_login(const struct options *o, const struct config_login *login,
    struct why *why)
{
	bool is_default;
	char *path = config_path(o->config_file, &is_default, why), *old;
	int status;

	if (path == NULL)
		return -1;
	status = config_write_login(path, login, why);
	old = is_default ? config_old_path() : NULL;
	if (status == 0 && old != NULL && (o->wants_legacy ||
	    access(old, F_OK) == 0))
		status = config_write_login(old, login, why);
	if (status == 0 && login->token == NULL)
		printf("Token has been reset in %s\n", path);
	else if (status == 0)
		printf("Logged in successfully, token%s saved in %s\n",
		    login->stack_url != NULL ? " and stack info" : "", path);
	free(old);
	free(path);
	return status;
}

/* k6's mask: the first and last four of a long one. */
static void
print_masked(const char *token)
{
	size_t n = strlen(token), i;

	printf("token: ");
	for (i = 0; i < n; i++)
		(void)putchar(n >= SHORT && (i < SHOWN || i >= n - SHOWN)
		    ? token[i] : '*');
	(void)putchar('\n');
}

static void
print_stack(const struct settings *s)
{
	static const enum setting shown[] = { SET_STACK_ID, SET_STACK_URL,
	    SET_DEFAULT_PROJECT_ID };
	static const char *const names[] = { "stack-id", "stack-url",
	    "default-project-id" };
	size_t i;

	if (settings_text(s, SET_STACK_URL) == NULL)
		return;
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		printf("%s: %s\n", names[i], settings_text(s, shown[i]) !=
		    NULL ? settings_text(s, shown[i]) : "<not set>");
}

/* Show what the file holds. */
static int
show_login(const struct options *o)
{
	struct settings s;
	struct why why;
	const char *token;
	int status = EXIT_DONE;

	settings_init(&s);
	if (config_load(o->config_file, &s, &why) < 0) {
		warnf("%s", why.text);
		status = EXIT_FAILED;
	}
	token = settings_text(&s, SET_TOKEN);
	if (status == EXIT_DONE && token == NULL) {
		printf("%s", o->is_plain ? "" : "token: <not set>\n");
		status = EXIT_FAILED;
	} else if (status == EXIT_DONE && o->is_plain) {
		printf("%s\n", token);
	} else if (status == EXIT_DONE) {
		print_masked(token);
		print_stack(&s);
	}
	settings_release(&s);
	return status;
}

static int
print_path(const struct options *o)
{
	bool is_default;
	struct why why;
	char *path = config_path(o->config_file, &is_default, &why);

	if (path == NULL) {
		warnf("%s", why.text);
		return EXIT_FAILED;
	}
	printf("%s\n", path);
	free(path);
	return EXIT_DONE;
}

/* Ask about a token the way that the stack, if there is one, has. */
static int
check_login(const struct options *o, const struct settings *s,
    struct config_login *login, struct why *why)
{
	struct ask a = { .settings = s, .token = login->token,
	    .ca_file = o->ca_file, .allows_http = o->allows_http };

	if (login->stack_url == NULL)
		return ask_token(&a, why);
	return ask_stack(&a, login->stack_url, &login->stack_id,
	    &login->project_id, why);
}

/* Check the token in force, without storing anything. */
static int
check_only(const struct options *o, const struct settings *s,
    struct why *why)
{
	struct config_login login = { .token = settings_text(s, SET_TOKEN),
	    .stack_url = settings_text(s, SET_STACK_URL) };

	if (login.token == NULL)
		return why_set(why, "no token: store one, or set "
		    "K6_CLOUD_TOKEN");
	if (check_login(o, s, &login, why) < 0)
		return -1;
	printf("the token is valid\n");
	return 0;
}

/* Take a new token, check it if asked to, and store it. A stack's numbers are
 * the server's. */
static int
log_in(const struct options *o, const struct settings *s, struct why *why)
{
	char token[TOKEN_MAX + 2] = "", *stack_url = NULL;
	struct config_login login = { .token = token };
	int status = 0;

	if (o->stack != NULL && (stack_url = stack_url_of(o->stack, why)) ==
	    NULL)
		return -1;
	login.stack_url = stack_url;
	status = take_token(o, token, why);
	if (status == 0 && (o->wants_check || o->stack != NULL))
		status = check_login(o, s, &login, why);
	if (status == 0)
		status = store_login(o, &login, why);
	explicit_bzero(token, sizeof(token));
	free(stack_url);
	return status;
}

static int
run(const struct options *o)
{
	static const struct config_login none = { 0 };
	struct settings s;
	struct why why;
	int status;

	if (o->wants_path)
		return print_path(o);
	if (o->wants_show)
		return show_login(o);
	settings_init(&s);
	if (o->wants_reset)
		status = store_login(o, &none, &why);
	else if (!o->wants_check && o->stack == NULL)
		status = log_in(o, &s, &why);
	else if ((status = load_settings(o, &s, &why)) == 0)
		status = o->token != NULL || o->stack != NULL
		    ? log_in(o, &s, &why) : check_only(o, &s, &why);
	settings_release(&s);
	if (status == 0)
		return EXIT_DONE;
	warnf("%s", why.text);
	return EXIT_FAILED;
}

#define FLAG(name, member, help) \
	{ 0, name, NULL, help, OPT_FLAG, offsetof(struct options, member), \
	    NULL, 0 }
#define TEXT(letter, name, arg, member, help) \
	{ letter, name, arg, help, OPT_TEXT, \
	    offsetof(struct options, member), NULL, 0 }

static const struct opt table[] = {
	TEXT('t', "token", "TOKEN", token, "store this token; - reads stdin"),
	FLAG("show", wants_show, "show the stored token, masked"),
	FLAG("plain", is_plain, "with --show: print only the token, unmasked"),
	FLAG("reset", wants_reset, "forget the stored token and stack"),
	FLAG("check", wants_check, "ask the server if the token is valid; "
	    "with --token, before it is stored"),
	FLAG("legacy", wants_legacy, "also write the file of k6 up to v0.57, "
	    "if it is not there"),
	FLAG("path", wants_path, "show where the token is kept"),
	TEXT(0, "stack", "STACK", stack, "Grafana Cloud stack, URL or name; "
	    "checked and stored with the token"),
	TEXT('c', "config", "FILE", config_file, "k6's config file"),
	TEXT(0, "host", "URL", host, "server that --check asks"),
	TEXT(0, "cacert", "FILE", ca_file, "certificate authorities to trust "
	    "(PEM)"),
	FLAG("insecure-http", allows_http,
	    "send the token over plain http"),
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct opt_tool tool = {
		.synopsis = "[options]",
		.about = "Keep the API token in k6's config file; without "
		    "options, ask for it or\nread it from stdin.",
		.examples = "  pass show k6 | k6login\n"
		    "  pass show k6 | k6login --stack mycompany\n"
		    "  k6login --check && k6login --show\n",
		.tables = { table },
	};
	struct options o = { 0 };
	int first, status;

	die_init();
	status = opt_parse(&tool, &o, argc, argv, &first);
	if (status == OPT_CONTINUE && first < argc)
		status = opt_misuse("%s: unexpected operand", argv[first]);
	if (status == OPT_CONTINUE && o.is_plain && !o.wants_show)
		status = opt_misuse("--plain needs --show");
	if (status == OPT_CONTINUE && o.wants_legacy && (o.config_file != NULL
	    || o.wants_show || o.wants_path || o.wants_reset))
		status = opt_misuse("--legacy is for storing a token, without "
		    "--config");
	if (status == OPT_CONTINUE && o.wants_show + o.wants_reset +
	    o.wants_path + (o.wants_check || o.token != NULL ||
	    o.stack != NULL) > 1)
		status = opt_misuse("--show, --reset, --path and --token, "
		    "--stack or --check exclude each other");
	return status != OPT_CONTINUE ? status : close_stdout(run(&o));
}
