/*
 * The error object of an OAuth login: base64 of {"status":"401",
 * "schemes":"bearer","scope":"..."} in a challenge (RFC 7628 3.2.2 and 3.2.3 for
 * OAUTHBEARER; Google's and Microsoft's XOAUTH2 alike).
 */
#ifndef MM_AGENT_PROBE_TOKEN_ERROR_H
#define MM_AGENT_PROBE_TOKEN_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/* Is this text such an object? Then `out` says it in words, printable:
 * "status 401, scope mail". A status of another length or type is left out;
 * what is cut short by the caller is none. */
bool mm_token_error(const char *b64, size_t n, char *out, size_t size);

#endif
