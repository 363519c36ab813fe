/*
 * What this host is: the system's name out of os-release(5), and the mail
 * programs that are installed for everybody, with the versions that dpkg knows.
 *
 * Finding out reads all of dpkg's list. The result is kept in
 * STATE/inventory.json and used until one of the places that it came from has
 * changed; looking at these costs a handful of stat(2).
 */
#ifndef MM_AGENT_INVENTORY_H
#define MM_AGENT_INVENTORY_H

#include "agent/conf.h"
#include "schemas/inventory.h"

struct mm_inventory_places {
	const char *const *os_release; /* the first that is there; NULL-terminated */
	const char *dpkg_status;
	const char *const *programs; /* folders; NULL-terminated */
};
extern const struct mm_inventory_places mm_inventory_system;

/* Never fails: what cannot be found out is unknown. In `a`. Keeps the result
 * when that is possible; a file that cannot be written is tried again the
 * next time. */
void mm_inventory_get(
    const struct mm_inventory_places *p, const struct mm_conf *c, struct mm_arena *a, struct mm_system *out);

#endif
