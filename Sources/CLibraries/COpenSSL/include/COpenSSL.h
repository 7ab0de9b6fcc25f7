#ifndef COPENSSL_H
#define COPENSSL_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Macros and unions, which Swift cannot use; everything else is called as it is.

static const unsigned long copenssl_rfc2253 = XN_FLAG_RFC2253;

static inline int copenssl_reason(unsigned long code) { return ERR_GET_REASON(code); }

static inline void copenssl_set_host_name(SSL *ssl, const char *name) {
    SSL_set_tlsext_host_name(ssl, name);
}

static inline int copenssl_set_groups(SSL_CTX *context, const char *names) {
    return (int)SSL_CTX_set1_groups_list(context, names);
}

static inline int copenssl_set_min_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline int copenssl_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

// Partial writes from buffers that move, and no memory for records while a connection is idle; one
// read takes whatever has come, not first the five bytes of a record's head.
static inline void copenssl_set_modes(SSL_CTX *context, int caches_sessions) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, caches_sessions);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

typedef int (*copenssl_server_name)(SSL *ssl, int *alert, void *argument);
static inline void copenssl_on_server_name(SSL_CTX *context, copenssl_server_name callback,
                                           void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

// How many general names of one kind a certificate has, and the bytes of one; a name is DNS or,
// where there are none of these, the common name of the subject.
int copenssl_name_count(GENERAL_NAMES *names);
int copenssl_dns_name(GENERAL_NAMES *names, int index, const unsigned char **bytes);

// Begins to seal or to open a session ticket: AES-256-CBC and HMAC-SHA256 with these keys.
int copenssl_begin_ticket(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const unsigned char *vector,
                          const unsigned char *cipher_key, const unsigned char *mac_key,
                          int seals);

// A socket as OpenSSL reads and writes it: without SIGPIPE, and with what a loop has to know.
int copenssl_attach_socket(SSL *ssl, int number);
// Whether the last read got less than it had room for: there is no more for now.
int copenssl_is_drained(SSL *ssl);
// Whether the first byte that came is that of a plain HTTP request.
int copenssl_is_plain(SSL *ssl);

#endif
