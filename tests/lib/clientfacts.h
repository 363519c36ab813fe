/* What is known of a client's accounts beside their settings (agent/facts.h), a
 * line for each: "ACCOUNT FACT = FOUND (FILE:LINE) REASON", "?" where it is not
 * known, "*" for what belongs to no one account. */
#ifndef MM_TESTS_LIB_CLIENTFACTS_H
#define MM_TESTS_LIB_CLIENTFACTS_H

#include "agent/clients/client.h"

void mm_client_show_facts(struct mm_reader *r, const struct mm_client *cl, struct mm_buf *out);

#endif
