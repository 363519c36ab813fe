#include "agent/clients/clients.h"

#include "common/text.h"

/* A new client: its module, one line here, one folder of samples in
 * tests/clients. */
#define CLIENTS(X)                                                                                           \
	X(thunderbird)                                                                                       \
	X(mutt)                                                                                              \
	X(neomutt)                                                                                           \
	X(msmtp)

#define ADDRESS(client) &mm_client_##client,
#define NAME(client) #client,

const struct mm_client *const mm_clients[] = {CLIENTS(ADDRESS) NULL};

const char mm_client_not_its_business[] = "not a setting of this client";

static const char *const names[] = {CLIENTS(NAME) NULL};

const struct mm_client *mm_client_by_name(const char *name)
{
	for (size_t i = 0; mm_clients[i] != NULL; i++)
		if (mm_streq(mm_clients[i]->name, name))
			return mm_clients[i];
	return NULL;
}

const char *const *mm_client_names(void)
{
	return names;
}
