/*
 * What a stranger's name server and web server say to --discover, and what
 * people type for a host name. The first byte chooses: 'S' a DNS answer, 'X'
 * an autoconfig file, 'H' a host name. Oracles: what is accepted is well
 * formed and within its limits, and the fragment for a policy stays one line
 * for each value.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/probe/autoconfig.h"
#include "agent/probe/discover.h"
#include "agent/probe/lint.h"
#include "agent/probe/suggest.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(struct mm_discovery *d)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	mm_discovery_add_standard(d);
	assert(d->n <= MM_CANDIDATES_MAX);
	for (size_t i = 0; i < d->n; i++) {
		struct mm_candidate *c = &d->list[i];
		assert(mm_is_hostname(c->host) && c->port >= 1 && c->port <= 65535);
		assert(!mm_streq(c->security, "none") || d->allow_cleartext);
		assert(c->username == NULL || !mm_has_control(c->username));
		c->looked = true;
		c->result = i % 2 == 0 ? MM_LOGIN_PASSED : MM_LOGIN_FAILED;
		mm_candidate_json(d, c, &b);
	}
	mm_discovery_rank(d);
	mm_buf_reset(&b);
	mm_discovery_fragment(d, &b);
	assert(mm_buf_ok(&b));
	size_t lines = 0;
	for (size_t i = 0; i < b.len; i++)
		lines += b.data[i] == '\n';
	assert(lines <= 11);
	mm_buf_free(&b);
}

static void answer(struct mm_discovery *d, const uint8_t *data, size_t size)
{
	struct mm_srv_answer a;
	struct mm_err err = MM_ERR_NONE;
	if (mm_srv_parse(data, size, d->mem, &a, &err) != 0) {
		assert(err.code == MM_EX_DATAERR);
		return;
	}
	assert(a.n <= MM_SRV_MAX && !(a.not_offered && a.n > 0));
	for (size_t i = 0; i < a.n; i++) {
		assert(mm_is_hostname(a.srv[i].host) && a.srv[i].port >= 1);
		assert(i == 0 || a.srv[i - 1].priority <= a.srv[i].priority);
	}
	mm_discovery_add_srv(d, size % MM_SRV_SERVICES, &a);
}

static void file(struct mm_discovery *d, const char *data, size_t size)
{
	struct mm_err err = MM_ERR_NONE;
	if (mm_autoconfig_parse(data, size, d, &err) != 0)
		assert(err.code == MM_EX_DATAERR && err.text[0] != '\0' && d->n == 0);
	assert(d->n <= MM_AUTOCONFIG_SERVERS);
}

static void host(struct mm_arena *mem, const char *data, size_t size)
{
	static const struct mm_probe_known known[] = {
	    {"imap", "imap.acme.example", "tls", 993}, {"smtp", "smtp.acme.example", "starttls", 587}};
	const char *typed = mm_arena_strndup(mem, data, size);
	char clean[MM_SUGGEST_MAX];
	struct mm_suggestion s;
	struct mm_buf b = MM_BUF_INIT(8192);
	if (mm_host_clean(typed, clean))
		assert(mm_is_hostname(clean));
	if (mm_suggest_host(typed, known, 2, "acme.example", &s))
		assert(mm_is_hostname(s.host) && s.cost <= 4 && mm_ends_with(s.host, ".acme.example"));
	if (mm_suggest_domain(typed, known, 2, &s))
		assert(mm_is_hostname(s.host));
	mm_lint_hostname(typed, &b);
	assert(mm_buf_ok(&b));
	mm_buf_free(&b);
	(void)mm_password_oddity(data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *mem = mm_arena_new();
	struct mm_discovery d;
	/* in memory of their own, so that one byte too many is seen */
	char *copy = size > 1 ? mm_arena_strndup(mem, (const char *)data + 1, size - 1) : NULL;
	if (copy != NULL && mm_discovery_begin(&d, "alice@acme.example", mem, NULL) == 0) {
		d.allow_cleartext = size % 2 == 0;
		if (data[0] == 'S')
			answer(&d, data + 1, size - 1);
		else if (data[0] == 'X')
			file(&d, copy, size - 1);
		else
			host(mem, copy, size - 1);
		check_list(&d);
	}
	mm_arena_free(mem);
	return 0;
}
