/* A host's first words: whatever they are, the explanation stays in bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/push/kexinit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_buf raw = MM_BUF_INIT(MM_KEXINIT_MAX), why = MM_BUF_INIT(1024);
	mm_buf_add(&raw, data, size < MM_KEXINIT_MAX ? size : MM_KEXINIT_MAX);
	(void)mm_kexinit_explain(&raw, "ssh-ed25519", &why);
	mm_buf_free(&raw);
	mm_buf_free(&why);
	return 0;
}
