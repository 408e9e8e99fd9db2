/* SPDX-License-Identifier: MIT */
#include "k6gen/http/client.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "tap.h"

enum { USERS = 64 };		/* more than shake hands at a time */

static int replies;

static void
on_reply(void *ctx, const struct http_reply *r)
{
	(void)ctx, (void)r;
	replies++;
}

/* A server that is connected to, and says nothing. */
static int
listen_somewhere(char url[64])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(listen(s, USERS) == 0);
	CHECK(getsockname(s, (struct sockaddr *)&a, &n) == 0);
	(void)snprintf(url, 64, "https://127.0.0.1:%d/", ntohs(a.sin_port));
	return s;
}

/* Users wait in the line for a handshake when their requests are given up and
 * others begin, whose hosts are looked up yet: they have no connection. */
static void
test_given_up(void)
{
	struct http_options o = { .user_agent = "u", .is_insecure = true,
		.connect_ns = 60 * NS_PER_S, .dns_ttl_ns = NS_PER_S };
	struct http_request silent = { .method = "GET",
		.timeout_ns = 60 * NS_PER_S }, unknown = silent;
	char url[64];
	struct why why;
	struct client *c = client_new(&o, USERS, on_reply, NULL, &why);
	struct http_reply reply;
	int i, s = listen_somewhere(url), given_up = 0;

	silent.url = url;
	unknown.url = "https://nobody.example/";
	for (i = 0; i < USERS; i++)
		client_send(c, i, &silent);
	CHECK(client_wait(c, NS_PER_S, &why) == 0);
	for (i = 0; i < USERS; i++) {
		given_up += client_abandon(c, i, &reply);
		CHECK(reply.error_code == 1050);
		client_send(c, i, &unknown);
	}
	for (i = 0; i < USERS; i++)
		CHECK(client_wait(c, 0, &why) == 0);
	CHECK(given_up == USERS);
	for (i = 0; i < USERS; i++)
		replies += client_abandon(c, i, &reply);
	CHECK(replies == USERS);
	client_free(c);
	(void)close(s);
}

int
main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	test("who waits for a handshake may give up, and begin another request",
	    test_given_up);
	return tap_end();
}
