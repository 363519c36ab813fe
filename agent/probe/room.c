#include "agent/probe/room.h"

#include <sys/resource.h>

#include "agent/probe/engine.h"

#define FDS_RESERVED 64
#define FDS_PER_TEST 3 /* two connections and a spare address */

size_t mm_room(void)
{
	struct rlimit r;
	size_t fds = 1024;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0)
		fds = r.rlim_cur;
	size_t tests =
	    fds > FDS_RESERVED + FDS_PER_TEST ? (fds - FDS_RESERVED) / FDS_PER_TEST : MM_AT_ONCE_MIN;
	return tests < MM_AT_ONCE ? tests : MM_AT_ONCE;
}
