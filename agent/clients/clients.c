#include "agent/clients/clients.h"

#include "common/text.h"

#define MM_CLIENT(client) &mm_client_##client,
const struct mm_client *const mm_clients[] = {
#include "agent/clients/clients.def"
    NULL};
#undef MM_CLIENT

#define MM_CLIENT(client) #client,
static const char *const names[] = {
#include "agent/clients/clients.def"
    NULL};
#undef MM_CLIENT

const char mm_client_not_its_business[] = "not a setting of this client";

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
