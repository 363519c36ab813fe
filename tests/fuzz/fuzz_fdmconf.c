/* The editor of fdm's configuration under its laws. */
#include "agent/formats/fdmconf.h"
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_format(&mm_format_fdmconf, data, size);
}
