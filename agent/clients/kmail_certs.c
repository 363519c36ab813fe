/*
 * The certificates that somebody accepted by hand, for all programs of KDE:
 * ksslcertificatemanager in $XDG_CONFIG_HOME, of which the system has no part.
 * A group for each certificate (the digest), in it a line for each host:
 *
 *   imap.acme.example=ExpireUTC 3026-11-23T10:00:00,SelfSignedCertificate
 *   *.acme.example=ExpireUTC 2026-11-23T10:30:00,Reject
 *
 * Sources: kssld.cpp of KIO 5.103, sslui.cpp (which accepts for half an hour,
 * or for a thousand years).
 */
#include <string.h>
#include <time.h>

#include "agent/clients/keys.h"
#include "agent/clients/kmail.h"
#include "common/text.h"

#define EXPIRES "ExpireUTC "

static bool is_over(const char *date)
{
	time_t now = time(NULL);
	struct tm tm;
	char today[16];

	return gmtime_r(&now, &tm) != NULL && strftime(today, sizeof(today), "%Y-%m-%d", &tm) > 0 &&
	       strncmp(date, today, strlen(today)) < 0;
}

/* Names of errors behind a date that is not over; one that is refused for ever
 * is no exception. */
static bool accepts(const char *text)
{
	const char *errors = text != NULL ? strchr(text, ',') : NULL;

	return errors != NULL && errors[1] != '\0' && mm_starts_with(text, EXPIRES) &&
	       !is_over(text + strlen(EXPIRES)) && strstr(errors, "Reject") == NULL;
}

/* "*.acme.example" is also for acme.example itself. */
static bool covers(const char *rule, const char *host)
{
	const char *domain = rule + 2;

	if (host == NULL || mm_streq_nocase(rule, host))
		return host != NULL;
	if (strncmp(rule, "*.", 2) != 0)
		return false;
	for (; host != NULL; host = strchr(host, '.')) {
		host += host[0] == '.' ? 1 : 0;
		if (mm_streq_nocase(domain, host))
			return true;
	}
	return false;
}

/* Each host once: the trap is set for all accounts on it. */
static bool is_new(const struct mm_view *view, size_t account, enum mm_setting s, const char *host)
{
	for (size_t i = 0; i <= account; i++) {
		if (i == account && s == MM_SET_IN_HOST)
			return true;
		if (mm_streq_nocase(view->accounts[i].s[MM_SET_IN_HOST].value, host) ||
		    (i < account && mm_streq_nocase(view->accounts[i].s[MM_SET_OUT_HOST].value, host)))
			return false;
	}
	return true;
}

static void see_rule(struct mm_reader *r, struct mm_view *view, struct mm_native at, const char *rule)
{
	static const enum mm_setting hosts[] = {MM_SET_IN_HOST, MM_SET_OUT_HOST};

	for (size_t i = 0; i < view->n; i++)
		for (size_t k = 0; k < 2; k++) {
			const char *host = view->accounts[i].s[hosts[k]].value;

			if (covers(rule, host) && is_new(view, i, hosts[k], host))
				mm_trap_exception(r->arena, view, at, host);
		}
}

void mm_kmail_exceptions(struct mm_reader *r, struct mm_view *view)
{
	const char *path = mm_config_path(r, "ksslcertificatemanager");
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc d;

	if (view->n == 0 || mm_load_doc(r, path, &mm_format_kconfig, &d, &err) != 0)
		return;
	for (size_t i = 0; i < d.n; i++) {
		const struct mm_item *it = &d.items[i];

		if (it->kind != 'c' && it->wins && accepts(mm_kconfig_value(&d, it, r->arena).text))
			see_rule(r, view, (struct mm_native){.path = path, .line = it->line}, it->key);
	}
}
