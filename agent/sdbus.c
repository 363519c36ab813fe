#include "agent/sdbus.h"

#include <dlfcn.h>
#include <string.h>

/* dlsym() gives a pointer to data; POSIX has it that its bytes are those of
 * the function's. */
static bool look_up(void *library, const char *name, void *to, size_t n)
{
	void *found = dlsym(library, name);
	memcpy(to, &found, n);
	return found != NULL;
}

bool mm_sdbus_load(struct mm_sdbus *out)
{
	void *library = dlopen(MM_SDBUS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	bool all = library != NULL;

#define LOOK_UP(name) all = all && look_up(library, "sd_bus_" #name, &out->name, sizeof(out->name));
	MM_SDBUS_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
	return all;
}
