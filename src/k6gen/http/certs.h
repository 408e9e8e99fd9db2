/* SPDX-License-Identifier: MIT */
/* certs: files for TLS, looked into before they are needed. */
#ifndef K6PIPE_K6GEN_HTTP_CERTS_H
#define K6PIPE_K6GEN_HTTP_CERTS_H

#include "base/why.h"

/* PEM files; NULL: none. ca_file must have a certificate that can be read as
 * its first; cert_file too, with the private key in key_file, or in itself. A
 * key with a password is refused: nobody would be asked for it. Returns 0, or
 * -1 and why. */
int certs_check(const char *ca_file, const char *cert_file,
    const char *key_file, struct why *why);

#endif
