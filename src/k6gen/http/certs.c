/* SPDX-License-Identifier: MIT */
/* Files for TLS, read by libssl before the run needs them. */
#include "k6gen/http/certs.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

static int
no_password(char *to, int size, int is_writing, void *ctx)
{
	(void)to, (void)size, (void)is_writing, (void)ctx;
	return -1;
}

static int
check_readable(const char *path, struct why *why)
{
	if (path == NULL || access(path, R_OK) == 0)
		return 0;
	return why_set(why, "%s: %s", path, strerror(errno));
}

static int
check_files(SSL_CTX *tls, const char *ca_file, const char *cert_file,
    const char *key_file, struct why *why)
{
	if (ca_file != NULL && SSL_CTX_load_verify_file(tls, ca_file) != 1)
		return why_set(why, "%s: no certificate in it", ca_file);
	if (cert_file == NULL)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(tls, cert_file) != 1)
		return why_set(why, "%s: no certificate in it", cert_file);
	if (key_file == NULL)
		key_file = cert_file;
	if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1)
		return why_set(why, "%s: no key for the certificate in it",
		    key_file);
	return 0;
}

int
certs_check(const char *ca_file, const char *cert_file, const char *key_file,
    struct why *why)
{
	SSL_CTX *tls;
	int status;

	if (check_readable(ca_file, why) < 0 ||
	    check_readable(cert_file, why) < 0 ||
	    check_readable(key_file, why) < 0)
		return -1;
	if (ca_file == NULL && cert_file == NULL)
		return 0;
	tls = SSL_CTX_new(TLS_client_method());
	if (tls == NULL)
		return why_set(why, "OpenSSL is out of memory");
	SSL_CTX_set_default_passwd_cb(tls, no_password);
	status = check_files(tls, ca_file, cert_file, key_file, why);
	SSL_CTX_free(tls);
	ERR_clear_error();
	return status;
}
