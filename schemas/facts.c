#include "schemas/facts.h"

#include <assert.h>
#include <string.h>

#include "common/text.h"

static const char *const password_words[] = {MM_FOUND_NO, MM_FOUND_IN_CLEAR, NULL};
static const char *const check_words[] = {
    MM_FOUND_YES, MM_FOUND_NO_DATES, MM_FOUND_CHAIN_ONLY, MM_FOUND_NO, MM_FOUND_NO_TLS, NULL};
static const char *const cleartext_words[] = {MM_FOUND_NO, MM_FOUND_OPPORTUNISTIC, MM_FOUND_YES, NULL};
static const char *const tls_words[] = {MM_FOUND_NO_TLS, "1.3", "1.2", "1.1", "1.0", NULL};

static const struct {
	const char *id, *label;
	const char *const *words;
	const char *desired;
} facts[MM_FACT_COUNT] = {
    [MM_FACT_PASSWORD] = {"client.password", "password in the config", password_words, MM_FOUND_NO},
    [MM_FACT_CERT_CHECK] = {"client.certificate_check", "certificates verified", check_words, MM_FOUND_YES},
    [MM_FACT_CERT_EXCEPTION] = {"client.certificate_exception", "certificates accepted by hand", NULL,
	MM_FOUND_NONE},
    [MM_FACT_CLEARTEXT] = {"client.cleartext", "session without TLS", cleartext_words, MM_FOUND_NO},
    [MM_FACT_TLS_MIN] = {"client.tls_min", "lowest TLS version", tls_words, "1.2"},
    [MM_FACT_UNMANAGED_ACCOUNT] = {"client.unmanaged_account", "account that no policy knows", NULL, NULL},
    [MM_FACT_FILE_MODE] = {"file.mode", "mode of the config", NULL, NULL},
    [MM_FACT_FILE_OWNER] = {"file.owner", "owner of the config", NULL, NULL},
};

const char *mm_fact_id(enum mm_fact f)
{
	assert(f < MM_FACT_COUNT);
	return facts[f].id;
}

const char *mm_fact_label(enum mm_fact f)
{
	assert(f < MM_FACT_COUNT);
	return facts[f].label;
}

const char *mm_fact_desired(enum mm_fact f)
{
	assert(f < MM_FACT_COUNT);
	return facts[f].desired;
}

enum mm_fact mm_fact_by_id(const char *id)
{
	for (int i = 0; id != NULL && i < MM_FACT_COUNT; i++)
		if (mm_streq(facts[i].id, id))
			return (enum mm_fact)i;
	return MM_FACT_NONE;
}

const char *const *mm_fact_words(enum mm_fact f)
{
	assert(f < MM_FACT_COUNT);
	return facts[f].words;
}

bool mm_is_fact(const char *setting)
{
	return setting != NULL && (strncmp(setting, "client.", 7) == 0 || strncmp(setting, "file.", 5) == 0);
}

struct mm_verdict mm_finding_verdict(const struct mm_finding *f)
{
	if (mm_is_fact(f->setting))
		return (struct mm_verdict){.exit_bit = MM_EX_OK, .audit = MM_AUDIT_NOT_APPLICABLE};
	return mm_verdict(f->state, f->action);
}

const char *mm_finding_now(const struct mm_finding *f)
{
	switch (f->action) {
	case MM_ACT_CREATED:
	case MM_ACT_CORRECTED:
		return f->desired;
	case MM_ACT_REMOVED:
		return NULL;
	default:
		return f->found;
	}
}
