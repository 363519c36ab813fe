#include "controller/report/outputs.h"

#include "common/text.h"

const struct mm_output *const mm_outputs[] = {
    &mm_output_text,
    &mm_output_json,
    &mm_output_csv,
    &mm_output_html,
    &mm_output_jsonl,
    &mm_output_junit,
    &mm_output_sarif,
    &mm_output_oscal,
    &mm_output_xccdf,
    &mm_output_arf,
    &mm_output_prometheus,
    NULL,
};

bool mm_output_tells_changes(const struct mm_output *o)
{
	for (size_t i = 0; o->sections[i] != MM_SEC_COUNT; i++)
		if (o->sections[i] == MM_SEC_CHANGES)
			return true;
	return false;
}

const struct mm_output *mm_output_by_name(const char *name)
{
	for (size_t i = 0; mm_outputs[i] != NULL; i++)
		if (mm_streq(mm_outputs[i]->name, name))
			return mm_outputs[i];
	return NULL;
}
