/*
 * What a workstation says of itself: the system that it runs, and the mail
 * programs that are installed for everybody. Stands in the head of a report
 * (schemas/report.h) as the member "system"; older controllers pass it over.
 */
#ifndef MM_SCHEMAS_INVENTORY_H
#define MM_SCHEMAS_INVENTORY_H

#include <stddef.h>

#include "common/json.h"
#include "common/mem.h"

#define MM_INVENTORY_OS_MAX 256     /* bytes */
#define MM_INVENTORY_VERSION_MAX 64 /* bytes */
#define MM_INVENTORY_CLIENTS_MAX 256

struct mm_installed {
	const char *client;  /* name of its adapter; a newer agent may know more of them */
	const char *version; /* as the package manager has it; "" = unknown */
};

struct mm_system {
	const char *os; /* "Debian GNU/Linux 12 (bookworm)"; "" = unknown */
	const struct mm_installed *clients;
	size_t n_clients;
};

/* Texts are cleaned and cut, as those of a report are. */
json_t *mm_system_json(const struct mm_system *s);
/* A client that is named twice is an error, as what is not clean is. In `a`. */
int mm_system_read(const json_t *o, struct mm_arena *a, struct mm_system *out, struct mm_err *err);

#endif
