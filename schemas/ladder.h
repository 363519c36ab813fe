/*
 * What a login check saw besides its verdict: the rungs it climbed, remarks
 * that do not change the verdict, and facts about server, certificate and
 * mailbox. Members of a login frame and of a probe's answer; all are optional
 * on the wire, so that an older reader or writer does without.
 *
 * Everything lives in the arena of the struct mm_login that holds it; all
 * zeros mean that nothing is known.
 */
#ifndef MM_SCHEMAS_LADDER_H
#define MM_SCHEMAS_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mm_tri { MM_UNKNOWN, MM_YES, MM_NO };

/* In the order of the first test of a connection; with STARTTLS the greeting
 * comes before TLS, and steps are listed as they were taken. */
enum mm_rung {
	MM_RUNG_SETTINGS, /* without network: do they make sense? */
	MM_RUNG_DNS,
	MM_RUNG_TCP,
	MM_RUNG_TLS, /* handshake, certificate, floor, pin */
	MM_RUNG_GREETING,
	MM_RUNG_LOGIN,
	MM_RUNG_MAILBOX, /* EXAMINE INBOX, STAT */
	MM_RUNG_SENDER,  /* MAIL, RCPT, RSET: nothing is sent */
	MM_RUNG_ROUNDTRIP,
	MM_RUNG_COUNT
};
const char *mm_rung_name(enum mm_rung r); /* "settings", "dns", ... */
int mm_rung_by_name(const char *s);       /* -1 */

enum mm_step_state { MM_STEP_HELD, MM_STEP_FAILED, MM_STEP_UNTESTED, MM_STEP_COUNT };
const char *mm_step_state_name(enum mm_step_state s); /* "held", "failed", "untested" */
int mm_step_state_by_name(const char *s);

struct mm_step {
	enum mm_rung rung;
	enum mm_step_state state;
	int ms;           /* -1 = not measured */
	const char *text; /* what was seen, for the ladder: "TLSv1.3, certificate until 2027-01-01"; or "" */
};
#define MM_STEPS_MAX 16

/* A remark, in the words of a verdict: CERT_EXPIRES_SOON, IPV6_BROKEN, ... */
struct mm_note {
	const char *cls;
	const char *text;  /* for the user; "" = nothing that concerns the user */
	const char *admin; /* for the admin */
};
#define MM_NOTES_MAX 16

struct mm_address_facts {
	const char *ip;    /* numeric */
	int ms;            /* until it answered or failed; -1 = not tried */
	const char *error; /* "" = it answered */
};
#define MM_ADDRESS_FACTS_MAX 8

struct mm_cert_link { /* a certificate as the server sent it, its own first */
	const char *subject, *issuer, *key, *signature;
	int64_t not_after;
};
#define MM_CHAIN_FACTS_MAX 8

struct mm_endpoint_facts {
	const struct mm_address_facts *addresses;
	size_t n_addresses;
	const char *greeting; /* NULL = none came; cleaned */
	/* After TLS where there is TLS, words separated by spaces, an SMTP or POP3 line of several as one:
	 * "SIZE=1000 AUTH=PLAIN,LOGIN"; NULL = unknown. */
	const char *capabilities;
	const char *mechanisms;      /* SASL names that are offered; "" = none; NULL = unknown */
	const char *mechanism;       /* by which the login was made; NULL = none was made */
	int64_t size;                /* SMTP SIZE, bytes (RFC 1870); 0 = not said, or no limit */
	enum mm_tri cleartext_login; /* is a login offered before TLS? */
};

struct mm_mailbox_facts {
	bool has_messages, has_quota;
	int64_t messages;
	int64_t quota_used, quota_limit; /* KiB, RFC 9208 5.1 STORAGE */
};

struct mm_trip_facts {
	const char *state;  /* "arrived", "junk", "bounced", "not-seen"; NULL = no round trip was made */
	const char *folder; /* where it was found; NULL = nowhere */
	int64_t delay_ms;   /* from the server's acceptance until it was found; 0 = it was not */
};

struct mm_ladder {
	const struct mm_step *steps;
	size_t n_steps;
	const struct mm_note *notes;
	size_t n_notes;
	const char *fix; /* what to do, one sentence; "" = nothing, or nothing is known */
	struct mm_endpoint_facts endpoint;
	struct mm_mailbox_facts mailbox;
	struct mm_trip_facts trip;
};

#endif
