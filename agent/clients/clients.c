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

const char *mm_client_cannot(
    const struct mm_client *cl, enum mm_setting s, const char *value, const struct mm_values *all)
{
	if (mm_setting_def(s)->type == MM_TYPE_FOLDER) {
		if (cl->incoming != cl->outgoing)
			return MM_CLIENT_NOT_ITS_BUSINESS;
		if (mm_streq(all->v[MM_SET_IN_PROTOCOL], "pop3"))
			return "POP3 knows the inbox only: there are no other folders on the server.";
	}
	return cl->unsupported(s, value, all);
}

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
