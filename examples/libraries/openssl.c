/*
 * OpenSSL in a pool: one allocator for the process.
 *
 * - CRYPTO_set_mem_functions() must come before anything else. After the first
 *   allocation it returns 0 and does nothing.
 * - The functions get the caller's file and line, but no context.
 * - realloc(p, 0) must free and return NULL.
 * - OPENSSL_cleanup() frees what the library keeps (tables, the error state of
 *   a thread). After that the library cannot be used again.
 * - An error record needs memory, too. Without memory the queue may be empty.
 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "in_pool.h"

enum { PIECES = 64, PIECE_SIZE = 16 << 10 };

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return in_pool_malloc(size);
}

static void *resize(void *ptr, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        in_pool_free(ptr);
        return NULL;
    }
    return in_pool_realloc(ptr, size);
}

static void release(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    in_pool_free(ptr);
}

/* A megabyte through AES-256-GCM into memory that grows. */
static bool encrypt(BIO *cipher, BIO *sink)
{
    static const unsigned char key[32] = "a key for an example";
    static const unsigned char nonce[12] = "once";
    static unsigned char piece[PIECE_SIZE];
    if (BIO_set_cipher(cipher, EVP_aes_256_gcm(), key, nonce, 1) != 1) {
        return false;
    }
    BIO_push(cipher, sink);
    for (int i = 0; i < PIECES; i++) {
        if (BIO_write(cipher, piece, PIECE_SIZE) != PIECE_SIZE) {
            return false;
        }
    }
    return BIO_flush(cipher) == 1 && BIO_pending(sink) == PIECES * PIECE_SIZE;
}

static const char *work(bitfit_pool *pool)
{
    static char error[200];
    (void)pool;
    if (CRYPTO_set_mem_functions(allocate, resize, release) != 1) {
        return "too late for the hooks";
    }
    BIO *cipher = BIO_new(BIO_f_cipher());
    BIO *sink = BIO_new(BIO_s_mem());
    bool good = cipher != NULL && sink != NULL && encrypt(cipher, sink);
    if (!good) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        strncpy(error, reason == NULL ? "?" : reason, sizeof error - 1);
    }
    BIO_free(cipher);
    BIO_free(sink);
    OPENSSL_cleanup();
    return good ? NULL : error;
}

int main(void)
{
    const in_pool_example example = {
        .name = OPENSSL_VERSION_TEXT,
        .work = work,
        .enough = 8 << 20,
        .too_small = 1 << 20,
        .complaint = "malloc failure",
    };
    return in_pool_run(&example);
}
