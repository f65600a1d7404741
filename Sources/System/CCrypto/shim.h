#pragma once
// The plain SHA256_CTX and MD5_CTX are values: they are copied where a precomputed state is wanted,
// need no allocation and no lock. OpenSSL 3 keeps them but marks them deprecated above this level.
#define OPENSSL_API_COMPAT 10101
#include <openssl/md5.h>
#include <openssl/sha.h>
