/* SPDX-License-Identifier: MIT */
#include "k6gen/http/certs.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static struct why why;

static FILE *
create(const char *name)
{
	FILE *f = fopen(name, "w");

	if (f == NULL)
		abort();
	return f;
}

/* A certificate, a key, both in one, and the key with a password, as NAME.crt,
 * .key, .pem and .locked. */
static void
make(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	char path[64];
	FILE *f;

	(void)X509_set_pubkey(x, key);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	(void)X509_sign(x, key, EVP_sha256());
	(void)snprintf(path, sizeof(path), "%s.crt", name);
	f = create(path);
	(void)PEM_write_X509(f, x);
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "%s.key", name);
	f = create(path);
	(void)PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "%s.pem", name);
	f = create(path);
	(void)PEM_write_X509(f, x);
	(void)PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "%s.locked", name);
	f = create(path);
	(void)PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(),
	    (const unsigned char *)"pw", 2, NULL, NULL);
	(void)fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
takes(void)
{
	CHECK(certs_check(NULL, NULL, NULL, &why) == 0);
	CHECK(certs_check("a.crt", NULL, NULL, &why) == 0);
	CHECK(certs_check(NULL, "a.crt", "a.key", &why) == 0);
	CHECK(certs_check(NULL, "a.pem", NULL, &why) == 0);
	CHECK(certs_check("b.crt", "a.pem", "a.key", &why) == 0);
}

static void
refuses(void)
{
	static const struct { const char *ca, *cert, *key, *text; } rows[] = {
		{ "none", NULL, NULL, "none: No such file or directory" },
		{ NULL, "none", NULL, "none: No such file or directory" },
		{ NULL, NULL, "none", "none: No such file or directory" },
		{ "/dev/null", NULL, NULL, "/dev/null: no certificate in it" },
		{ "a.key", NULL, NULL, "a.key: no certificate in it" },
		{ NULL, "a.key", NULL, "a.key: no certificate in it" },
		{ NULL, "a.crt", NULL,
		    "a.crt: no key for the certificate in it" },
		{ NULL, "a.crt", "b.key",
		    "b.key: no key for the certificate in it" },
		{ NULL, "a.crt", "a.locked",
		    "a.locked: no key for the certificate in it" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(certs_check(rows[i].ca, rows[i].cert, rows[i].key,
		    &why) == -1);
		CHECK_TEXT(why.text, rows[i].text);
	}
}

int
main(void)
{
	char dir[] = "/tmp/test_certs.XXXXXX";
	static const char *const suffixes[] = { "crt", "key", "pem",
		"locked" };
	char path[16];
	size_t i;

	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	make("a");
	make("b");
	test("certificates with their keys are taken", takes);
	test("files without them are refused, each by name", refuses);
	for (i = 0; i < 8; i++) {
		(void)snprintf(path, sizeof(path), "%c.%s", "ab"[i % 2],
		    suffixes[i / 2]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
	return tap_end();
}
