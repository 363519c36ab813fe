/* An auditor's file of checkpoints, or of the system's log, which has them among other lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/audit/verify.h"

#define LINE_MAX_BYTES 4096

#define MARK "mailmuster-checkpoint-"

/* Where the checkpoint begins in a line; NULL: it is a line of somebody else's. */
static const char *checkpoint_in(const char *line)
{
	const char *brace = strchr(line, '{');
	if (*line == '{' || strstr(line, MARK) == NULL)
		return *line == '{' ? line : NULL;
	return brace != NULL ? brace : line;
}

int mm_judge_witness_file(struct mm_judge *j, const char *path, struct mm_err *err)
{
	FILE *f = fopen(path, "re");
	char line[LINE_MAX_BYTES], place[512];
	int64_t number = 0, found = 0;
	if (f == NULL)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		struct mm_checkpoint c;
		struct mm_err why = MM_ERR_NONE;
		const char *text = checkpoint_in(line);
		number++;
		if (text == NULL)
			continue;
		found++;
		snprintf(place, sizeof(place), "%.400s:%" PRId64, path, number);
		if (mm_checkpoint_decode(text, strcspn(text, "\n"), &c, &why) == 0)
			mm_judge_checkpoint(j, &c, place);
		else
			mm_judge_fault(j, 0, place, "%s", why.text);
	}
	if (number > 0 && found == 0)
		mm_judge_fault(j, 0, path, "no checkpoint stands in it");
	int failed = ferror(f);
	fclose(f);
	return failed ? mm_err_sys(err, MM_EX_FAILED, "%s", path) : 0;
}
