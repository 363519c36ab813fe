/*
 * Filling the places in the sentences of classes.c: "{host} port {port}".
 */
#ifndef MM_AGENT_PROBE_SENTENCE_H
#define MM_AGENT_PROBE_SENTENCE_H

#include "common/buf.h"

enum mm_place {
	MM_PLACE_HOST,
	MM_PLACE_PORT,
	MM_PLACE_PROTOCOL, /* IMAP */
	MM_PLACE_OTHER,    /* the protocol that was found instead */
	MM_PLACE_SECURITY, /* STARTTLS */
	MM_PLACE_DETAIL,   /* what a lower layer says */
	MM_PLACE_MS,       /* how long it took */
	MM_PLACE_SERVER,   /* the server's last words, redacted */
	MM_PLACE_SUBJECT,
	MM_PLACE_ISSUER,
	MM_PLACE_SAN,
	MM_PLACE_CHAIN,       /* "2 certificates": how many were sent */
	MM_PLACE_FINGERPRINT, /* SHA-256 of the server's certificate */
	MM_PLACE_PIN,         /* sha256//... of its key */
	MM_PLACE_BAD_SUBJECT, /* of the certificate that is to blame */
	MM_PLACE_NOT_BEFORE,
	MM_PLACE_NOT_AFTER,
	MM_PLACE_MECH,    /* way to log in that was used */
	MM_PLACE_WANTED,  /* ... that the settings say */
	MM_PLACE_OFFERED, /* ... that the server has */
	MM_PLACE_SENDER,  /* the user's own address */
	MM_PLACE_COUNT
};

struct mm_places {
	const char *v[MM_PLACE_COUNT]; /* NULL or "": printed as "nothing" */
};

/* Append the sentence. -1 when the template
 * names a place that does not exist (a bug in the table; the tests look). */
int mm_sentence(const char *tmpl, const struct mm_places *p, struct mm_buf *out);

#endif
