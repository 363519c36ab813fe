/* The TOML editor under its laws, and meli's where lines include files. */
#include "agent/formats/toml.h"
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_format(&mm_format_toml, data, size);
	if (size > 0 && memmem(data, size, "include(", 8) != NULL)
		fuzz_format(&mm_format_meli, data, size);
	return 0;
}
