#include "COpenSSL.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <sys/socket.h>

enum {
    // In the flags of a BIO, above those of OpenSSL.
    begun = 0x10000,
    plain = 0x20000,
    drained = 0x40000,
};

static int number_of(BIO *bio) { return (int)(intptr_t)BIO_get_data(bio); }

static int receive(BIO *bio, char *bytes, int length) {
    ssize_t count;
    do {
        count = recv(number_of(bio), bytes, (size_t)length, 0);
    } while (count < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    BIO_clear_flags(bio, drained | BIO_FLAGS_IN_EOF);
    if (count < length) BIO_set_flags(bio, drained);
    if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (count < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
    if (count > 0 && !BIO_test_flags(bio, begun)) {
        BIO_set_flags(bio, begun);
        if (bytes[0] >= 'A' && bytes[0] <= 'Z') BIO_set_flags(bio, plain);
    }
    return (int)count;
}

static int transmit(BIO *bio, const char *bytes, int length) {
    ssize_t count;
    BIO_clear_retry_flags(bio);
    // Nobody who speaks plain HTTP can read an alert.
    if (BIO_test_flags(bio, plain)) return -1;
    do {
        count = send(number_of(bio), bytes, (size_t)length, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN) BIO_set_retry_write(bio);
    return (int)count;
}

static long control(BIO *bio, int command, long number, void *argument) {
    (void)number;
    (void)argument;
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default: return 0;
    }
}

static BIO_METHOD *method;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void) {
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == NULL) return;
    BIO_meth_set_read(made, receive);
    BIO_meth_set_write(made, transmit);
    BIO_meth_set_ctrl(made, control);
    method = made;
}

int copenssl_attach_socket(SSL *ssl, int number) {
    if (!CRYPTO_THREAD_run_once(&once, make_method) || method == NULL) return 0;
    BIO *bio = BIO_new(method);
    if (bio == NULL) return 0;
    BIO_set_data(bio, (void *)(intptr_t)number);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return 1;
}

int copenssl_is_drained(SSL *ssl) { return BIO_test_flags(SSL_get_rbio(ssl), drained) != 0; }

int copenssl_is_plain(SSL *ssl) { return BIO_test_flags(SSL_get_rbio(ssl), plain) != 0; }

int copenssl_name_count(GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

int copenssl_dns_name(GENERAL_NAMES *names, int index, const unsigned char **bytes) {
    GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name == NULL || name->type != GEN_DNS) return -1;
    *bytes = ASN1_STRING_get0_data(name->d.dNSName);
    return ASN1_STRING_length(name->d.dNSName);
}

int copenssl_begin_ticket(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const unsigned char *vector,
                          const unsigned char *cipher_key, const unsigned char *mac_key,
                          int seals) {
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)mac_key, 32),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, cipher_key, vector, seals) == 1;
}
