/* An auditor's file of checkpoints. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/audit/verify.h"

#define LINE_MAX_BYTES 4096

int mm_judge_witness_file(struct mm_judge *j, const char *path, struct mm_err *err)
{
	FILE *f = fopen(path, "re");
	char line[LINE_MAX_BYTES], place[512];
	int64_t number = 0;
	if (f == NULL)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		struct mm_checkpoint c;
		struct mm_err why = MM_ERR_NONE;
		number++;
		snprintf(place, sizeof(place), "%.400s:%" PRId64, path, number);
		if (mm_checkpoint_decode(line, strcspn(line, "\n"), &c, &why) == 0)
			mm_judge_checkpoint(j, &c, place);
		else
			mm_judge_fault(j, 0, place, "%s", why.text);
	}
	int failed = ferror(f);
	fclose(f);
	return failed ? mm_err_sys(err, MM_EX_FAILED, "%s", path) : 0;
}
