/* SSH public and private keys in text: whatever is read can be printed and
 * read back. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "controller/push/identity.h"
#include "controller/push/sshkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	char *text = mm_arena_strndup(a, (const char *)data, size);
	struct mm_sshkey k, again;
	unsigned char seed[32];
	if (mm_sshkey_parse(text, a, &k, NULL) == 0) {
		struct mm_buf b = MM_BUF_INIT(65536);
		mm_sshkey_text(&k, &b);
		assert(mm_sshkey_parse(mm_buf_str(&b), a, &again, NULL) == 0);
		assert(again.len == k.len && memcmp(again.blob, k.blob, k.len) == 0);
		mm_buf_free(&b);
	}
	if (mm_identity_parse(text, size, seed, a, &k, NULL) == 0)
		assert(strcmp(k.type, "ssh-ed25519") == 0);
	mm_arena_free(a);
	return 0;
}
