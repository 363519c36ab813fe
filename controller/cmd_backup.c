#include <stdio.h>

#include "common/json.h"
#include "controller/cmd.h"

static int run(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {MM_OPT_REASON(&reason), MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "backup",
	    .operands = "FILE",
	    .about = "Copy the store, consistent, while others write; FILE is new and 0600.\n"
		     "The private keys are not in it: keep the keys folder apart.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	json_t *o;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("backup", &err);
	mm_store_set_reason(c->store, reason);
	if (mm_store_backup(c->store, argv[0], &err))
		return mm_ctl_fail("backup", &err);
	if (json) {
		o = json_object();
		mm_json_set_str(o, "file", argv[0]);
		mm_ctl_json(o);
	} else {
		printf("%s written\n", argv[0]);
	}
	return MM_EX_OK;
}

const struct mm_cmd mm_cmd_backup = {"backup", "FILE", "copy the store", run};
