/* The editor of a netrc under its laws. */
#include "agent/formats/netrc_file.h"
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_format(&mm_format_netrc, data, size);
}
