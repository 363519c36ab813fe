/* known_hosts files: nothing crashes, and what is found is a key. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "controller/push/knownhosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int found(void *ctx, size_t i, const struct mm_sshkey *key, int line, struct mm_err *err)
{
	(void)ctx;
	(void)err;
	assert(i < 2 && line > 0 && key->len > 4 && key->len <= MM_SSHKEY_BLOB_MAX);
	return 0;
}

static void skipped(void *ctx, int line, const char *why)
{
	(void)ctx;
	assert(line > 0 && *why != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mm_known_host hosts[] = {{"ws1", "ws1.acme.example", 22}, {"ws2", "", 2222}};
	static const struct mm_known_ops ops = {.found = found, .skipped = skipped};
	struct mm_known_stats st;
	if (mm_knownhosts_read((const char *)data, size, hosts, 2, &ops, NULL, &st, NULL) != 0)
		abort();
	assert(st.used + st.bad + st.unusable + st.unknown + st.revoked >= st.lines);
	return 0;
}
