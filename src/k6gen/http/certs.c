/* SPDX-License-Identifier: MIT */
/* Files for TLS, read by libssl before the run needs them. */
#include "k6gen/http/certs.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
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

/* The first of its certificates is enough: a system has a hundred and more,
 * and to read them takes longer than all else at the start of a run. */
static int
check_ca_file(const char *path, struct why *why)
{
	BIO *in = BIO_new_file(path, "r");
	X509 *first = NULL;

	if (in != NULL)
		first = PEM_read_bio_X509_AUX(in, NULL, no_password, NULL);
	X509_free(first);
	BIO_free(in);
	return first != NULL ? 0 :
	    why_set(why, "%s: no certificate in it", path);
}

static int
check_pair(SSL_CTX *tls, const char *cert_file, const char *key_file,
    struct why *why)
{
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
	int status = 0;

	if (check_readable(ca_file, why) < 0 ||
	    check_readable(cert_file, why) < 0 ||
	    check_readable(key_file, why) < 0)
		return -1;
	if (ca_file != NULL)
		status = check_ca_file(ca_file, why);
	if (status == 0 && cert_file != NULL) {
		tls = SSL_CTX_new(TLS_client_method());
		if (tls == NULL)
			return why_set(why, "OpenSSL is out of memory");
		SSL_CTX_set_default_passwd_cb(tls, no_password);
		status = check_pair(tls, cert_file, key_file, why);
		SSL_CTX_free(tls);
	}
	ERR_clear_error();
	return status;
}
