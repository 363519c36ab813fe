/* Files of the routes: what is read is written again byte for byte, and what
 * is written reads the same. */
#include <stdint.h>
#include <string.h>

#include "agent/routes/route.h"
#include "schemas/sheet.h"

#undef NDEBUG
#include <assert.h>

static void check(const struct mm_route *route, struct mm_arena *a, struct mm_text in)
{
	const char *path = mm_arena_printf(a, "%s", route->dirs[0]);
	struct mm_text plain = {.p = NULL}, again = {.p = NULL}, back = {.p = NULL};
	struct mm_err err = MM_ERR_NONE;
	bool literal = memmem(in.p, in.n, MM_SYSTEM_LOGIN, strlen(MM_SYSTEM_LOGIN)) != NULL;

	if (!literal && mm_route_decode(route, a, path, in, &plain, &err) == 0 && plain.n > 0) {
		assert(mm_route_encode(route, a, path, plain, &again, &err) == 0);
		assert(again.n == in.n && memcmp(again.p, in.p, in.n) == 0);
	}
	if (mm_route_encode(route, a, path, in, &again, &err) == 0) {
		assert(mm_route_decode(route, a, path, again, &back, &err) == 0);
		assert(back.n == in.n && memcmp(back.p, in.p, in.n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	const struct mm_text in = {mm_arena_strndup(a, (const char *)data, size), size};

	for (size_t i = 0; mm_routes[i] != NULL; i++)
		check(mm_routes[i], a, in);
	mm_arena_free(a);
	return 0;
}
