#include "schemas/inventory.h"

#include "common/text.h"
#include "schemas/wire.h"

json_t *mm_system_json(const struct mm_system *s)
{
	json_t *o = json_object(), *list = json_array();

	mm_wire_put(o, "os", s->os, MM_INVENTORY_OS_MAX);
	for (size_t i = 0; i < s->n_clients && i < MM_INVENTORY_CLIENTS_MAX; i++) {
		json_t *c = json_object();

		mm_json_set_str(c, "client", s->clients[i].client);
		if (*s->clients[i].version != '\0')
			mm_wire_put(c, "version", s->clients[i].version, MM_INVENTORY_VERSION_MAX);
		if (json_array_append_new(list, c) != 0)
			mm_oom();
	}
	mm_json_set(o, "clients", list);
	return o;
}

static int read_client(const json_t *o, struct mm_arena *a, const struct mm_system *s, struct mm_installed *c,
    struct mm_err *err)
{
	if (!json_is_object(o))
		return mm_err_set(err, MM_EX_DATAERR, "clients: not an object");
	if (mm_wire_form_str(o, "client", mm_wire_is_client, false, a, &c->client, err) != 0 ||
	    mm_wire_str_opt(o, "version", MM_INVENTORY_VERSION_MAX, "", a, &c->version, err) != 0)
		return mm_err_prefix(err, "clients");
	for (size_t i = 0; i < s->n_clients; i++)
		if (mm_streq(s->clients[i].client, c->client))
			return mm_err_set(err, MM_EX_DATAERR, "clients: \"%s\" is there twice", c->client);
	return 0;
}

int mm_system_read(const json_t *o, struct mm_arena *a, struct mm_system *out, struct mm_err *err)
{
	struct mm_system s = {.os = NULL};
	const json_t *list, *item;
	size_t i;

	if (mm_wire_str_opt(o, "os", MM_INVENTORY_OS_MAX, "", a, &s.os, err) != 0 ||
	    mm_json_array(o, "clients", MM_INVENTORY_CLIENTS_MAX, true, &list, err) != 0)
		return mm_err_prefix(err, "system");
	struct mm_installed *clients = mm_arena_alloc(a, json_array_size(list) + 1, sizeof(*clients));
	s.clients = clients;
	json_array_foreach(list, i, item)
	{
		if (read_client(item, a, &s, &clients[i], err) != 0)
			return mm_err_prefix(err, "system");
		s.n_clients++;
	}
	*out = s;
	return 0;
}
