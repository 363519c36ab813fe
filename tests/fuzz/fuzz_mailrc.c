/* The editor of s-nail's mailrc under its laws, in both ways of quoting. */
#include "agent/formats/mailrc.h"
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_format(&mm_format_mailrc, data, size);
	return fuzz_format(&mm_format_mailrc_v15, data, size);
}
