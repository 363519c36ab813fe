/* Envelopes: what decodes keeps its limits, and nothing but what the key of
 * the frozen samples once signed is ever accepted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/request.h"
#include "schemas/signing.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mm_key *test_key(void)
{
	static struct mm_key *key;
	unsigned char seed[MM_KEY_RAW];
	for (unsigned char i = 0; i < MM_KEY_RAW; i++)
		seed[i] = i;
	if (key == NULL && mm_key_from_seed(seed, &key, NULL) != 0)
		abort();
	return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_envelope_raw raw;
	struct mm_key *const trusted[] = {test_key()};
	char keyid[MM_SHA256_HEX] = "";
	if (mm_envelope_decode((const char *)data, size, &raw, &err) != 0) {
		assert(err.code == MM_EX_DATAERR && err.text[0] != '\0');
		return 0;
	}
	assert(raw.n >= 1 && raw.n <= MM_SIGNATURES_MAX);
	if (mm_envelope_verify(&raw, MM_REQUEST_TYPE, trusted, 1, keyid, &err) == 0) {
		/* Only the one request that the sample holds was ever signed. */
		static const char want[] = "\"id\":\"00112233445566778899aabbccddeeff\"";
		assert(strcmp(keyid, mm_key_id(trusted[0])) == 0);
		assert(strstr(mm_buf_str(&raw.payload), want) != NULL && raw.payload.len == 424);
	} else {
		assert(err.code == MM_EX_NOPERM && keyid[0] == '\0');
	}
	mm_envelope_raw_free(&raw);
	return 0;
}
