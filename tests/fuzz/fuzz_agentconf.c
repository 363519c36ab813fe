/* agent.conf: any text gives a configuration or an error, and limits that
 * can be asked. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the piece of a string that it had begun when the text
 * is malformed; a program that then ends with an error can live with that. */
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_conf *c = NULL;
	const char *text = mm_arena_strndup(a, (const char *)data, size);
	if (mm_conf_parse("agent.conf", text, &c, &err) == 0) {
		assert(c->host != NULL && c->n_keys > 0);
		(void)mm_conf_allows_host(c, "imap.acme.example");
		(void)mm_conf_allows_program(c, "/usr/bin/pass");
		(void)mm_conf_allows_client(c, "mutt");
		mm_conf_free(c);
	} else {
		assert(err.text[0] != '\0');
	}
	mm_arena_free(a);
	return 0;
}
