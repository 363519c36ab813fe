/*
 * KMail: Akonadi's resources, the transports and the identities of KDE PIM.
 * Shared by the parts of the adapter.
 *
 * Sources: resources/imap/imapresource.kcfg, resources/pop3/settings.kcfg of
 * kdepim-runtime, mailtransport.kcfg of kmailtransport, identity.h and
 * identitymanager.cpp of kidentitymanagement, and what 22.12 did.
 */
#ifndef MM_AGENT_CLIENTS_KMAIL_H
#define MM_AGENT_CLIENTS_KMAIL_H

#include "agent/clients/kde.h"

#define MM_KMAIL_NETWORK "network"
#define MM_KMAIL_CACHE "cache"
#define MM_KMAIL_GENERAL "General"
#define MM_KMAIL_IDENTITY "Identity #"
#define MM_KMAIL_TRANSPORT "Transport "
#define MM_KMAIL_IMAP "akonadi_imap_resource"
#define MM_KMAIL_SENDER "akonadi_maildispatcher_agent"
#define MM_KMAIL_POP3 "akonadi_pop3_resource"

struct mm_kmail_account { /* a resource: an account to fetch from */
	const char *instance;
	bool imap;
	int line; /* of agentsrc */
	struct mm_kde_file rc;
	const char *identity;  /* group, or NULL */
	const char *transport; /* group, or NULL */
};

struct mm_kmail {
	const char *agents_path;
	struct mm_doc agents; /* Qt's ini, which reads as a key file as far as it goes here */
	struct mm_kde_file transports, identities;
	struct mm_kmail_account *v;
	size_t n;
};

int mm_kmail_load(struct mm_reader *r, const char *agents_path, struct mm_kmail *out, struct mm_err *err);
const char *mm_kmail_text(
    struct mm_reader *r, const struct mm_kde_file *f, const char *group, const char *key);
/* The transport that mail of this identity (may be NULL) goes through. */
const char *mm_kmail_transport(struct mm_reader *r, const struct mm_kmail *k, const char *identity);
/* KDE's word for a way of logging in, and its number; NULL: it has none. */
const char *mm_kmail_auth(const char *canon, const char *protocol, bool number);
/* Traps: certificates of the view's hosts that are accepted though they fail verification. */
void mm_kmail_exceptions(struct mm_reader *r, struct mm_view *view);

int mm_kmail_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err);

#endif
