/*
 * What is signed apart from requests: reports by the host that sends them,
 * checkpoints of the audit log by the controller. Both are short texts of
 * lines, so that a script can make them again and hand them to openssl.
 *
 *   mailmuster-report-1              mailmuster-checkpoint-1
 *   host ws1                         fleet 0f...            (32 hex digits)
 *   report 52...                     seq 1234               (of the log's last entry then)
 *   request 8a...  or -              entries 1234           (that the log held then)
 *   collected 1790000000             time 1790000000
 *   evidence attested  or claimed    sha256 ab...           (of that entry)
 *   sha256 cd...                     key 71...              (mm_key_id() of who signs)
 *
 * Each line ends with a newline. The SHA-256 of a report is that over type,
 * length and body of its frames, REPORT first (as in END, schemas/report.h).
 *
 * A report that a user's own run has written is `claimed` in the statement,
 * whatever its head says: the signature proves which host carried it, not
 * that what it says is so.
 *
 * Signatures and the checkpoint that a host has seen travel as members of END
 * that are not looked at by a program that does not know them.
 */
#ifndef MM_SCHEMAS_SEAL_H
#define MM_SCHEMAS_SEAL_H

#include <jansson.h>

#include "schemas/report.h"
#include "schemas/signing.h"

#define MM_SIGNATURE 64   /* bytes */
#define MM_SEALS_MAX 8192 /* signatures in one answer; what is beyond goes unsigned */
#define MM_STATEMENT_MAX 1024

/* ---- reports */

struct mm_seal {
	char sha256[MM_SHA256_HEX]; /* over the frames */
	char key[MM_SHA256_HEX];    /* of the host; "" = it is not signed */
	unsigned char sig[MM_SIGNATURE];
};

void mm_report_statement(const struct mm_report_head *h, enum mm_evidence evidence,
    const char sha256[MM_SHA256_HEX], struct mm_buf *out);
/* Does `k` hold for it? -1 with MM_EX_NOPERM: it does not. */
int mm_report_verify(const struct mm_key *k, const struct mm_report_head *h, enum mm_evidence evidence,
    const struct mm_seal *seal, struct mm_err *err);

/* The SHA-256 of one report after the other, on both sides. */
struct mm_sealing {
	struct mm_sha256_ctx *sha; /* of the report under way; NULL = none */
};
void mm_sealing_add(struct mm_sealing *s, uint16_t type, const void *body, size_t len);
/* The report under way is over; false: there was none. */
bool mm_sealing_end(struct mm_sealing *s, char sha256[MM_SHA256_HEX]);

/* ---- checkpoints */

struct mm_checkpoint {
	char fleet[MM_ID_LEN];
	int64_t seq, entries, time;
	char sha256[MM_SHA256_HEX];
	char key[MM_SHA256_HEX];
	unsigned char sig[MM_SIGNATURE];
};

void mm_checkpoint_statement(const struct mm_checkpoint *c, struct mm_buf *out);
/* Sets key and sig. */
int mm_checkpoint_sign(struct mm_checkpoint *c, const struct mm_key *k, struct mm_err *err);
int mm_checkpoint_verify(const struct mm_checkpoint *c, const struct mm_key *k, struct mm_err *err);
/* {"fleet":..., "seq":..., "entries":..., "time":..., "sha256":..., "key":..., "sig": base64} */
json_t *mm_checkpoint_json(const struct mm_checkpoint *c);
int mm_checkpoint_read(const json_t *o, struct mm_checkpoint *out, struct mm_err *err);
/* The same on one line of text. */
int mm_checkpoint_decode(const char *json, size_t n, struct mm_checkpoint *out, struct mm_err *err);

/* ---- what END holds besides */

struct mm_end_seals {
	const char *key; /* NULL = nothing is signed */
	/* One for each REPORT frame of the answer, in their order; a report
	 * beyond them is not signed. */
	const unsigned char (*sigs)[MM_SIGNATURE];
	size_t n;
	const struct mm_checkpoint *checkpoint; /* the newest that the host has seen; NULL = none */
};
/* END as mm_end_encode() makes it, and these members; NULL: none. */
void mm_end_encode_sealed(struct mm_tally *t, const struct mm_end_seals *x, struct mm_buf *out);
/* The members alone; *out is empty when there are none. */
int mm_end_seals_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_end_seals *out, struct mm_err *err);

#endif
