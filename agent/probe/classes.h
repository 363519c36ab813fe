/*
 * Every outcome of a test: its word in reports, what the user reads, what
 * the admin reads, and how bad it is. One table; a new outcome is one row
 * here and one place in diagnose.c that finds it.
 *
 * The words are part of the contract (member "class" of a login frame).
 */
#ifndef MM_AGENT_PROBE_CLASSES_H
#define MM_AGENT_PROBE_CLASSES_H

#include "schemas/state.h"

enum mm_cls {
	MM_CLS_NONE, /* nothing is wrong */
	/* before any network */
	MM_CLS_BAD_SETTINGS,
	MM_CLS_BAD_HOST_SYNTAX,
	MM_CLS_NOT_IN_POLICY, /* a host that the signed policy does not name gets no credentials */
	/* names */
	MM_CLS_DNS_NO_SUCH_NAME,
	MM_CLS_DNS_NO_ADDRESS,
	MM_CLS_DNS_UNAVAILABLE,
	/* connection */
	MM_CLS_NET_NO_ROUTE,
	MM_CLS_HOST_UNREACHABLE,
	MM_CLS_CONN_REFUSED,
	MM_CLS_CONN_TIMEOUT,
	MM_CLS_CONN_FAILED,
	/* who answers */
	MM_CLS_NO_GREETING,
	MM_CLS_NOT_MAIL_SERVER,
	MM_CLS_WRONG_PROTOCOL,
	MM_CLS_SERVER_REFUSES,
	MM_CLS_TOO_MANY_CONNECTIONS,
	MM_CLS_EHLO_REJECTED,
	MM_CLS_CONN_DROPPED,
	MM_CLS_SERVER_SLOW,
	MM_CLS_PROTOCOL_ERROR,
	/* encryption */
	MM_CLS_TLS_TO_PLAIN_PORT,
	MM_CLS_PLAIN_TO_TLS_PORT,
	MM_CLS_TLS_VERSION_TOO_OLD,
	MM_CLS_TLS_OTHER,
	MM_CLS_TLS_CLOSED,
	MM_CLS_TLS_CLIENT_CERT,
	MM_CLS_STARTTLS_NOT_OFFERED,
	MM_CLS_STARTTLS_STRIPPED,
	MM_CLS_STARTTLS_REFUSED,
	MM_CLS_STARTTLS_INJECTION,
	/* certificate */
	MM_CLS_CERT_EXPIRED,
	MM_CLS_CERT_NOT_YET_VALID,
	MM_CLS_CERT_SELF_SIGNED,
	MM_CLS_CERT_UNKNOWN_CA,
	MM_CLS_CERT_NAME_MISMATCH,
	MM_CLS_CERT_WEAK,
	MM_CLS_CERT_PIN,
	MM_CLS_CERT_OTHER,
	MM_CLS_TLS_INTERCEPTED, /* an antivirus program or firewall opens TLS, and is not trusted */
	/* login */
	MM_CLS_AUTH_NOT_OFFERED,
	MM_CLS_AUTH_NEEDS_TLS,
	MM_CLS_AUTH_MECH_NOT_OFFERED,
	MM_CLS_AUTH_REJECTED,
	MM_CLS_AUTH_ACCOUNT_DISABLED,
	MM_CLS_AUTH_PASSWORD_EXPIRED,
	MM_CLS_AUTH_APP_PASSWORD,
	MM_CLS_AUTH_BASIC_DISABLED,
	MM_CLS_AUTH_WEB_LOGIN,
	MM_CLS_AUTH_TOKEN_REFUSED,
	MM_CLS_AUTH_CERT_REFUSED,
	MM_CLS_AUTH_AUTHZ,
	MM_CLS_AUTH_TEMP,
	MM_CLS_AUTH_SLOW,
	MM_CLS_AUTH_CONN_DROPPED,
	MM_CLS_AUTH_UNCLEAR,
	MM_CLS_AUTH_UNPROVEN, /* POP3: accepted, and then it behaves as if it were not */
	MM_CLS_AUTH_REQUIRED, /* SMTP: 530 to MAIL or RCPT */
	MM_CLS_KRB_FAILED,
	MM_CLS_MAILBOX_UNUSABLE,
	MM_CLS_MAILBOX_NO_ANSWER,
	/* sender dry run */
	MM_CLS_SENDER_REJECTED,
	MM_CLS_RELAY_DENIED,
	MM_CLS_RCPT_REJECTED,
	MM_CLS_SENDER_NO_ANSWER,
	MM_CLS_SEND_REFUSED, /* by a rule that is about neither address */
	MM_CLS_TOO_BIG,
	/* round trip */
	MM_CLS_TRIP_REFUSED, /* the test message was not accepted */
	MM_CLS_TRIP_BOUNCED,
	/* nothing was proven, in either direction */
	MM_CLS_PREAUTH_NOT_A_TEST,
	MM_CLS_NO_SECRET,
	MM_CLS_REFUSED_ELSEWHERE, /* the same password, by the same server, on another port */
	MM_CLS_BAD_SECRET,
	MM_CLS_NO_USERNAME,
	MM_CLS_NO_LOGIN_WANTED,
	MM_CLS_NO_TLS_WANTED,
	MM_CLS_MECH_DIFFERS,
	MM_CLS_MECH_NOT_TESTABLE,
	MM_CLS_LIBRARY_LIMIT,
	MM_CLS_CA_FILE_UNREADABLE,
	MM_CLS_ROUNDTRIP_NOT_TESTED,
	MM_CLS_TRIP_NOT_SEEN, /* accepted, and not there yet: the next run looks again */
	MM_CLS_NO_TICKET,     /* Kerberos: none, or expired */
	MM_CLS_KRB_NO_ANSWER, /* ticket service silent or not reached */
	MM_CLS_NO_CLIENT_CERT,
	MM_CLS_LOCAL_TROUBLE,
	/* remarks beside a verdict */
	MM_CLS_IPV6_BROKEN,
	MM_CLS_ADDRESS_DEAD,
	MM_CLS_CERT_EXPIRES_SOON,
	MM_CLS_CERT_NO_SAN,
	MM_CLS_CERT_WEAK_SOON,  /* accepted today, below RSA 2048 or SHA-256 */
	MM_CLS_OLD_TLS_OFFERED, /* 1.0 or 1.1 beside the new ones */
	MM_CLS_OCSP_REVOKED,
	MM_CLS_OCSP_INVALID,
	MM_CLS_CLEARTEXT_LOGIN, /* the server takes passwords before TLS */
	MM_CLS_MECH_UNUSABLE,   /* offered, and cannot work */
	MM_CLS_OVERQUOTA,
	MM_CLS_SEND_TEMP,      /* greylisting and the like */
	MM_CLS_SERVER_ALERT,   /* [ALERT] text, shown once */
	MM_CLS_TRIP_JUNK,      /* arrived, in Junk */
	MM_CLS_TRIP_LEFT_OVER, /* the test message could not be removed */
	MM_CLS_SLOW_GREETING,
	MM_CLS_PROXY_SEEN, /* antivirus or firewall, by its certificate or its greeting */
	MM_CLS_COUNT
};

enum mm_severity {
	MM_SEV_NONE,
	MM_SEV_WRONG,     /* settings, account or server must be changed by somebody */
	MM_SEV_TEMPORARY, /* the settings are not the cause; later it may work */
	MM_SEV_ALARM,     /* looks like somebody in between */
	MM_SEV_UNTESTED,  /* no evidence: neither passed nor failed */
	MM_SEV_REMARK,    /* a note beside a verdict, never a verdict */
};

struct mm_cls_def {
	const char *word;
	const char *user;  /* for the user; {places} are those of sentence.h */
	const char *admin; /* for the admin: cause, and what to do */
	enum mm_severity severity;
	const char *fix; /* what to do, one sentence with places; NULL = nothing that one could do */
};

const struct mm_cls_def *mm_cls_def(enum mm_cls c);
enum mm_result mm_cls_result(enum mm_cls c);

#endif
