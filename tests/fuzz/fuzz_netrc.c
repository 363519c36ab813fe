/* ~/.netrc: any text gives the same answer twice, and a password only for a
 * machine and login that the text names. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/netrc.h"
#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char login[] = "alice";
	if (size > 8192)
		return 0;
	char *text = mm_xcalloc(size + 1, 1);
	if (size > 0)
		memcpy(text, data, size);
	struct mm_secret *one = mm_secret_new_max(64), *two = mm_secret_new_max(64);
	int rc = mm_netrc_find(text, "imap.acme.example", login, one);
	if (rc != mm_netrc_find(text, "IMAP.ACME.EXAMPLE", login, two) ||
	    mm_secret_len(one) != mm_secret_len(two) || mm_secret_len(one) > 64)
		abort();
	if (rc != 1 && mm_secret_len(one) > 0)
		abort();
	/* nothing in the text is an escape for a letter */
	if (rc == 1 && strchr(text, '\\') == NULL && strstr(text, login) == NULL)
		abort();
	mm_secret_free(one);
	mm_secret_free(two);
	free(text);
	return 0;
}
