/*
 * A mail program that does not exist, for tests of what is common to all:
 * ~/.fakerc in the ini grammar, one section per account.
 *
 *   [work]
 *   from=alice@acme.example
 *   host=imap.acme.example
 *   port=993
 *   user=alice
 *   hook_port=1143      <- wins over port
 *   holds=yes            <- ... and its hooks are the values in effect
 *   floor=1.3            <- a TLS floor, which the fake shows and cannot set
 *   stubborn=yes        <- this account never shows what is written
 *
 * ~/.fakerc.extra is a second file of the same place, written with `second`.
 */
#ifndef MM_TEST_FAKE_CLIENT_H
#define MM_TEST_FAKE_CLIENT_H

#include "agent/clients/client.h"

extern const struct mm_client mm_fake;

#endif
