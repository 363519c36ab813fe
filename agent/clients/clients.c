#include "agent/clients/clients.h"

#include "common/text.h"

/* A new client: its module, one line here, one folder of samples in
 * tests/clients. */
const struct mm_client *const mm_clients[] = {
    &mm_client_msmtp,
    NULL,
};

static const char *const names[] = {"msmtp", NULL};
_Static_assert(sizeof(names) / sizeof(names[0]) == sizeof(mm_clients) / sizeof(mm_clients[0]),
    "one name for each client");

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
