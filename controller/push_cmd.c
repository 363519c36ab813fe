#include "controller/push_cmd.h"

#include "controller/push_print.h"

int mm_push_command(struct mm_ctl *c, const char *what, struct mm_push_cmd *o)
{
	struct mm_push_summary s = {0};
	struct mm_err err = MM_ERR_NONE;
	o->how.progress = true;
	int status;
	if (mm_push_run_op(c, &o->sel, &o->how, &s, &err) < 0) {
		status = err.code == MM_EX_USAGE ? mm_ctl_usage(what, err.text) : mm_ctl_fail(what, &err);
	} else {
		if (o->json)
			mm_push_print_json(&s);
		else
			mm_push_print(&s);
		status = s.exit_status;
	}
	if (s.arena != NULL)
		mm_push_summary_free(&s);
	return status;
}
