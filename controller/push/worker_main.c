#include <fcntl.h>
#include <stdio.h>

#include "common/proc.h"
#include "controller/push/worker.h"

/* mailmuster-push-worker: its own program, so that the part that talks to
 * strangers has no store, no policy and no signing key in its memory. */
int main(void)
{
	struct mm_err err = MM_ERR_NONE;
	mm_process_init();
	if (mm_worker_main(&err) < 0) {
		if (err.code != 0)
			fprintf(stderr, "mailmuster-push-worker: %s\n", err.text);
		return err.code != 0 ? err.code : MM_EX_FAILED;
	}
	return MM_EX_OK;
}
