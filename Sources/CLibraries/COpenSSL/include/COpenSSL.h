#ifndef COPENSSL_H
#define COPENSSL_H

#include <openssl/rand.h>

#endif
