/* GNOME Online Accounts, as far as other adapters ask. */
#ifndef MM_AGENT_CLIENTS_GOA_H
#define MM_AGENT_CLIENTS_GOA_H

#include "agent/clients/client.h"

/* Is the account one of the IMAP and SMTP accounts there, and switched on?
 * Evolution and Geary then have it already. */
bool mm_goa_has(struct mm_reader *r, const struct mm_values *account);

#endif
