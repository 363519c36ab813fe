#include "controller/audit/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/audit/signers.h"

#define PLACE_MAX 512

struct point {
	struct mm_checkpoint c;
	const char *witness; /* NULL = nobody */
	int64_t line;        /* of the export */
	bool good;
};

/* An entry, and the line of the export that it is about. */
struct spot {
	int64_t seq, line;
};

struct host_key {
	const char *host, *pem;
	char id[MM_SHA256_HEX];
};

struct judge_lists {
	struct point *points;
	size_t n_points, cap_points;
	struct host_key *keys;
	size_t n_keys, cap_keys;
	struct spot *missing; /* entries whose part apart is not there */
	size_t n_missing, cap_missing;
	struct spot *lost; /* checkpoints that a witness has, and the export does not */
	size_t n_lost, cap_lost;
	int64_t *erased; /* entries of which an erasure says so */
	size_t n_erased, cap_erased;
	struct mm_fault *faults;
	size_t cap_faults;
};

struct mm_judge {
	struct mm_arena *a;
	struct mm_audited r;
	struct judge_lists l;
	struct mm_signers *signers;
	bool settled;
	bool no_reports;
	const char *fleet;
	bool personal;
	bool anchored, prune_seen;
	struct mm_checkpoint anchor;
	int64_t next; /* the number that comes now; 0 = the first is not here yet */
	char prev[MM_SHA256_HEX];
	bool prev_good; /* it is the hash of what the entry before holds */
	size_t at;      /* the next checkpoint */
	int64_t agreed; /* up to here a checkpoint has agreed */
	int64_t line;   /* of the export, that is being looked at; 0 = it is none */
	bool altered;   /* the export is not the file that was written */
};

struct mm_judge *mm_judge_new(void)
{
	struct mm_judge *j = mm_xcalloc(1, sizeof(*j));
	j->a = mm_arena_new();
	j->signers = mm_signers_new();
	j->fleet = "";
	j->personal = true;
	j->r.witness = "";
	j->prev_good = true;
	memcpy(j->prev, MM_CHAIN_FIRST, sizeof(j->prev));
	return j;
}

void mm_judge_free(struct mm_judge *j)
{
	if (j == NULL)
		return;
	mm_signers_free(j->signers);
	mm_arena_free(j->a);
	free(j);
}

void mm_judge_scope(struct mm_judge *j, const char *fleet, bool personal)
{
	j->fleet = mm_arena_strdup(j->a, fleet);
	j->personal = personal;
}

void mm_judge_no_reports(struct mm_judge *j)
{
	j->no_reports = true;
}

void mm_judge_at(struct mm_judge *j, int64_t line)
{
	j->line = line;
}

void mm_judge_altered(struct mm_judge *j)
{
	j->altered = true;
}

void mm_judge_evidence(struct mm_judge *j, const struct mm_vouched *v)
{
	j->r.evidence = *v;
}

void mm_judge_fault(struct mm_judge *j, int64_t seq, const char *place, const char *fmt, ...)
{
	struct mm_buf text = MM_BUF_INIT(4096);
	va_list ap;
	if (j->r.n_faults >= MM_FAULTS_MAX) {
		j->r.more_faults++;
		return;
	}
	va_start(ap, fmt);
	mm_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	struct mm_fault *f = mm_arena_push(j->a, &j->l.faults, &j->r.n_faults, &j->l.cap_faults, sizeof(*f));
	*f = (struct mm_fault){.seq = seq,
	    .line = j->line,
	    .place = j->line > 0 && strncmp(place, "line ", 5) != 0
			 ? mm_arena_printf(j->a, "%s (line %" PRId64 ")", place, j->line)
			 : mm_arena_strdup(j->a, place),
	    .text = mm_arena_strdup(j->a, mm_buf_str(&text))};
	mm_buf_free(&text);
}

static const char *entry_name(struct mm_judge *j, int64_t seq)
{
	return mm_arena_printf(j->a, "entry %" PRId64, seq);
}

/* "entry 17", or "entries 17 to 19". */
static const char *range_name(struct mm_judge *j, int64_t from, int64_t to)
{
	return from >= to ? entry_name(j, to)
			  : mm_arena_printf(j->a, "entries %" PRId64 " to %" PRId64, from, to);
}

/* ---- keys */

static const char *key_name(struct mm_judge *j, const char *id)
{
	return mm_arena_printf(j->a, "signing key %.16s", id);
}

int mm_judge_signer(struct mm_judge *j, const char *pem, bool given, struct mm_err *err)
{
	j->r.signing_keys += !given;
	return mm_signers_add(j->signers, pem, given, err);
}

void mm_judge_rotation(struct mm_judge *j, const struct mm_rotation *r)
{
	if (!mm_streq(r->fleet, j->fleet))
		mm_judge_fault(j, 0, key_name(j, r->key), "it was put in its place in another store");
	else
		mm_signers_rotation(j->signers, r);
}

static void take_key_fault(void *ctx, int64_t seq, const char *key, const char *text)
{
	struct mm_judge *j = ctx;
	mm_judge_fault(j, seq, key_name(j, key), "%s", text);
}

/* All keys are known when the first signature is to be looked at. */
static void settle_keys(struct mm_judge *j)
{
	if (!j->settled)
		mm_signers_settle(j->signers, take_key_fault, j);
	j->settled = true;
}

void mm_judge_report_key(struct mm_judge *j, const char *host, const char *pem)
{
	struct mm_key *k = NULL;
	if (mm_key_from_public_pem(pem, strlen(pem), &k, NULL) != 0) {
		mm_judge_fault(j, 0, mm_arena_printf(j->a, "report key of %s", host), "it is no public key");
		return;
	}
	struct host_key *h = mm_arena_push(j->a, &j->l.keys, &j->l.n_keys, &j->l.cap_keys, sizeof(*h));
	*h = (struct host_key){.host = mm_arena_strdup(j->a, host), .pem = mm_arena_strdup(j->a, pem)};
	memcpy(h->id, mm_key_id(k), sizeof(h->id));
	mm_key_free(k);
}

bool mm_judge_signed(struct mm_judge *j, const char *text, size_t n, const char *sig)
{
	settle_keys(j);
	return mm_signers_signed(j->signers, text, n, sig);
}

/* ---- checkpoints */

static const char *point_name(struct mm_judge *j, const struct mm_checkpoint *c, const char *witness)
{
	return mm_arena_printf(j->a, "checkpoint %" PRId64 "%s%s", c->seq, witness != NULL ? " of " : "",
	    witness != NULL ? witness : "");
}

void mm_judge_checkpoint(struct mm_judge *j, const struct mm_checkpoint *c, const char *witness)
{
	struct point *p = mm_arena_push(j->a, &j->l.points, &j->l.n_points, &j->l.cap_points, sizeof(*p));
	*p = (struct point){
	    .c = *c, .witness = mm_arena_strdup(j->a, witness), .line = witness == NULL ? j->line : 0};
}

void mm_judge_anchor(struct mm_judge *j, const struct mm_checkpoint *c)
{
	j->anchored = true;
	j->anchor = *c;
	settle_keys(j);
	if (!mm_signers_hold(j->signers, c) || !mm_streq(c->fleet, j->fleet))
		mm_judge_fault(j, c->seq, "anchor",
		    "the log begins after entry %" PRId64 ", but nobody here has signed that", c->seq);
	j->next = c->seq + 1;
	j->r.pruned = c->seq;
	j->agreed = c->seq;
	memcpy(j->prev, c->sha256, sizeof(j->prev));
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct host_key *)a)->id, ((const struct host_key *)b)->id);
}

static int by_seq(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	return x->c.seq < y->c.seq ? -1 : x->c.seq > y->c.seq;
}

static bool same_statement(const struct mm_checkpoint *x, const struct mm_checkpoint *y)
{
	return x->seq == y->seq && x->entries == y->entries && x->time == y->time &&
	       mm_streq(x->sha256, y->sha256) && mm_streq(x->key, y->key) && mm_streq(x->fleet, y->fleet) &&
	       memcmp(x->sig, y->sig, MM_SIGNATURE) == 0;
}

/* Now all are known. The same one from several places is verified once. */
static void sort_points(struct mm_judge *j)
{
	struct point *p = j->l.points;
	int64_t line = j->line;
	settle_keys(j);
	if (j->l.n_keys > 1)
		qsort(j->l.keys, j->l.n_keys, sizeof(*j->l.keys), by_id);
	if (j->l.n_points > 1)
		qsort(p, j->l.n_points, sizeof(*p), by_seq);
	for (size_t i = 0; i < j->l.n_points; i++) {
		bool known = i > 0 && p[i - 1].good && same_statement(&p[i].c, &p[i - 1].c);
		p[i].good =
		    known || (mm_streq(p[i].c.fleet, j->fleet) && mm_signers_hold(j->signers, &p[i].c));
		j->line = p[i].line;
		if (!p[i].good)
			mm_judge_fault(j, 0, point_name(j, &p[i].c, p[i].witness), "%s",
			    mm_streq(p[i].c.fleet, j->fleet) ? "its signature does not hold"
							     : "it is of another store");
	}
	j->line = line;
}

/* A copy of what a witness has should stand behind the entry. */
static void look_for_copy(struct mm_judge *j, const struct mm_chain_entry *e, size_t from)
{
	bool own = false, told = false;
	for (size_t i = from; i < j->at; i++) {
		const struct point *x = &j->l.points[i];
		own = own || (x->c.seq == e->seq && x->witness == NULL);
		told = told || (x->c.seq == e->seq && x->good && x->witness != NULL);
	}
	if (j->line == 0 || own || !told)
		return;
	struct spot *s = mm_arena_push(j->a, &j->l.lost, &j->l.n_lost, &j->l.cap_lost, sizeof(*s));
	*s = (struct spot){.seq = e->seq, .line = j->line + 11 + (e->salt != NULL ? 4 : 0)};
}

/* Whoever has stolen a former key can sign with it still. */
static bool is_late(struct mm_judge *j, const struct point *p)
{
	int64_t entry = mm_signers_late(j->signers, &p->c);
	if (entry > 0)
		mm_judge_fault(j, p->c.seq, point_name(j, &p->c, p->witness),
		    "it is signed by key %.16s, which was replaced in entry %" PRId64, p->c.key, entry);
	return entry > 0;
}

/* What the checkpoints say of this entry; NULL: it is known to be another. */
static void at_points(struct mm_judge *j, int64_t seq, const char *sha256)
{
	struct point *p = j->l.points;
	for (; j->at < j->l.n_points && p[j->at].c.seq <= seq; j->at++) {
		const struct point *x = &p[j->at];
		char when[MM_TIME_MAX];
		if (!x->good || x->c.seq < seq || sha256 == NULL || is_late(j, x))
			continue;
		if (!mm_streq(x->c.sha256, sha256)) {
			mm_judge_fault(j, j->agreed + 1, range_name(j, j->agreed + 1, seq),
			    "the log is another than the one that was signed at %s (%s)",
			    mm_time_utc(x->c.time, when),
			    x->witness != NULL ? x->witness : "checkpoint of the log itself");
			continue;
		}
		j->agreed = seq;
		j->r.checkpoints++;
		if (x->witness != NULL && seq >= j->r.witnessed) {
			j->r.witnessed = seq;
			j->r.witnessed_time = x->c.time;
			j->r.witness = x->witness;
		}
	}
}

/* Checkpoints of entries that are not there. */
static void beyond(struct mm_judge *j)
{
	for (; j->at < j->l.n_points; j->at++) {
		const struct point *x = &j->l.points[j->at];
		char when[MM_TIME_MAX];
		if (x->good && x->c.seq > j->r.last && !is_late(j, x))
			mm_judge_fault(j, j->r.last + 1, range_name(j, j->r.last + 1, x->c.seq),
			    "removed: the log ends at entry %" PRId64 ", but went on to %" PRId64
			    " at %s (%s)",
			    j->r.last, x->c.seq, mm_time_utc(x->c.time, when),
			    x->witness != NULL ? x->witness : "checkpoint of the log itself");
	}
}

/* ---- reports */

struct claim {
	struct mm_report_head head;
	enum mm_evidence evidence;
	struct mm_seal seal;
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s != NULL ? s : "";
}

static bool read_claim(const char *host, const json_t *o, struct claim *c)
{
	struct mm_buf sig = MM_BUF_INIT(128);
	const char *text = text_of(o, "signature");
	*c = (struct claim){.head = {.host = host,
				.id = text_of(o, "id"),
				.request_id = json_string_value(json_object_get(o, "request"))},
	    .evidence = mm_streq(text_of(o, "evidence"), "attested") ? MM_EV_ATTESTED : MM_EV_CLAIMED};
	bool good = mm_parse_int(text_of(o, "collected"), 0, INT64_MAX, &c->head.collected) == 0 &&
		    mm_unbase64(text, strlen(text), &sig) == 0 && sig.len == MM_SIGNATURE;
	if (good)
		memcpy(c->seal.sig, sig.data, MM_SIGNATURE);
	snprintf(c->seal.sha256, sizeof(c->seal.sha256), "%s", text_of(o, "frames"));
	snprintf(c->seal.key, sizeof(c->seal.key), "%s", text_of(o, "key"));
	mm_buf_free(&sig);
	return good;
}

/* 1: holds, 0: does not, -1: that key of that host is not here. */
static int claim_holds(const struct mm_judge *j, const struct claim *c)
{
	struct host_key want = {.host = NULL};
	struct mm_key *k = NULL;
	memcpy(want.id, c->seal.key, sizeof(want.id));
	const struct host_key *h =
	    j->l.n_keys == 0 ? NULL : bsearch(&want, j->l.keys, j->l.n_keys, sizeof(*j->l.keys), by_id);
	if (h == NULL || !mm_streq(h->host, c->head.host) ||
	    mm_key_from_public_pem(h->pem, strlen(h->pem), &k, NULL) != 0)
		return h == NULL ? -1 : 0;
	int rc = mm_report_verify(k, &c->head, c->evidence, &c->seal, NULL);
	mm_key_free(k);
	return rc == 0;
}

static void take_report(struct mm_judge *j, const struct mm_chain_entry *e, const json_t *o)
{
	struct claim c;
	j->r.reports++;
	if (*text_of(o, "key") == '\0')
		return;
	j->r.reports_signed++;
	if (j->no_reports)
		return;
	int holds = read_claim(e->object, o, &c) ? claim_holds(j, &c) : 0;
	j->r.reports_unknown += holds < 0;
	j->r.reports_bad += holds == 0;
	if (holds == 0)
		mm_judge_fault(j, e->seq, entry_name(j, e->seq),
		    "the signature of host %s does not hold for its report %s", e->object, c.head.id);
}

/* ---- entries */

/* "entries": [1, 7, ...] of an erasure. */
static void take_erasure(struct mm_judge *j, const json_t *o)
{
	const json_t *list = json_object_get(o, "entries");
	for (size_t i = 0; i < json_array_size(list); i++) {
		int64_t *seq =
		    mm_arena_push(j->a, &j->l.erased, &j->l.n_erased, &j->l.cap_erased, sizeof(*seq));
		*seq = json_integer_value(json_array_get(list, i));
	}
}

static void take_meaning(struct mm_judge *j, const struct mm_chain_entry *e)
{
	bool prune = mm_streq(e->action, "audit.prune"), erase = mm_streq(e->action, "user.erase"),
	     report = mm_streq(e->action, "report"),
	     key = mm_streq(e->action, "key.add") || mm_streq(e->action, "key.rotate");
	json_t *o = prune || erase || report || key
			? mm_json_load("detail", e->detail, strlen(e->detail), NULL)
			: NULL;
	if (report)
		take_report(j, e, o);
	if (erase)
		take_erasure(j, o);
	if (key)
		mm_signers_logged(
		    j->signers, e->seq, e->object, json_string_value(json_object_get(o, "former")));
	if (prune && j->anchored && mm_streq(text_of(o, "sha256"), j->anchor.sha256))
		j->prune_seen = true;
	json_decref(o);
}

static void look_apart(struct mm_judge *j, const struct mm_chain_entry *e)
{
	char sum[MM_SHA256_HEX];
	if (*e->apart == '\0') {
		if (e->salt != NULL)
			mm_judge_fault(j, e->seq, entry_name(j, e->seq), "a personal part was added to it");
		return;
	}
	j->r.personal++;
	if (e->salt == NULL) {
		j->r.erased++;
		if (j->personal) {
			struct spot *s = mm_arena_push(
			    j->a, &j->l.missing, &j->l.n_missing, &j->l.cap_missing, sizeof(*s));
			*s = (struct spot){.seq = e->seq, .line = j->line};
		}
		return;
	}
	mm_chain_apart(e->salt, e->p_object, e->p_detail, sum);
	if (!mm_streq(sum, e->apart))
		mm_judge_fault(
		    j, e->seq, mm_arena_printf(j->a, "personal part of entry %" PRId64, e->seq), "changed");
}

/* Is it the one that comes now? False: it is not looked at further. */
static bool in_place(struct mm_judge *j, const struct mm_chain_entry *e)
{
	if (j->next == 0)
		j->next = 1;
	if (e->seq < j->next) {
		mm_judge_fault(j, e->seq, entry_name(j, e->seq), "inserted: it stands behind entry %" PRId64,
		    j->next - 1);
		return false;
	}
	if (e->seq > j->next) {
		mm_judge_fault(j, j->next, range_name(j, j->next, e->seq - 1), "removed");
		snprintf(j->prev, sizeof(j->prev), "%s", e->prev);
	}
	return true;
}

void mm_judge_entry(struct mm_judge *j, const struct mm_chain_entry *e)
{
	char sum[MM_SHA256_HEX];
	if (j->r.entries++ == 0)
		sort_points(j);
	if (!in_place(j, e))
		return;
	mm_chain_hash(e, sum);
	bool good = mm_streq(sum, e->sha256);
	if (!good)
		mm_judge_fault(j, e->seq, entry_name(j, e->seq), "changed");
	else if (!mm_streq(e->prev, j->prev) && j->prev_good)
		mm_judge_fault(j, e->seq - 1 > 0 ? e->seq - 1 : e->seq,
		    range_name(j, e->seq - 1 > 0 ? e->seq - 1 : e->seq, e->seq),
		    "changed: entry %" PRId64 " does not follow what stands before it", e->seq);
	size_t from = j->at;
	take_meaning(j, e);
	at_points(j, e->seq, good ? sum : NULL);
	look_for_copy(j, e, from);
	look_apart(j, e);
	snprintf(j->prev, sizeof(j->prev), "%s", e->sha256);
	j->prev_good = good;
	if (j->r.first == 0)
		j->r.first = e->seq;
	j->r.last = e->seq;
	j->next = e->seq + 1;
	if (j->r.witnessed == e->seq) {
		j->r.unwitnessed = j->r.since = 0;
	} else if (j->r.unwitnessed++ == 0) {
		j->r.since = e->time;
	}
}

/* ---- the end */

static bool listed(const int64_t *list, size_t n, int64_t seq)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == seq)
			return true;
	return false;
}

/* What holds of the export as a whole has been said; where it is not so may be known. */
static void name_lost(struct mm_judge *j)
{
	for (size_t i = 0; j->altered && i < j->l.n_lost; i++) {
		j->line = j->l.lost[i].line;
		mm_judge_fault(j, j->l.lost[i].seq,
		    mm_arena_printf(j->a, "checkpoint %" PRId64, j->l.lost[i].seq),
		    "removed: a witness has it, the export does not");
	}
}

/* Is something else wrong behind this line? The erasure may have stood there. */
static bool doubtful(const struct mm_judge *j, int64_t line)
{
	size_t n = 0;
	for (size_t i = 0; i < j->r.n_faults; i++)
		n += j->l.faults[i].line > line;
	return n > (j->altered ? 1 : 0);
}

static void name_missing(struct mm_judge *j)
{
	int64_t end = j->line;
	for (size_t i = 0; i < j->l.n_missing; i++) {
		const struct spot *m = &j->l.missing[i];
		if (listed(j->l.erased, j->l.n_erased, m->seq))
			continue;
		j->line = doubtful(j, m->line) ? end : m->line;
		mm_judge_fault(j, m->seq, mm_arena_printf(j->a, "personal part of entry %" PRId64, m->seq),
		    "removed, and no erasure says so");
	}
	j->line = end;
}

static bool comes_first(const struct mm_fault *a, const struct mm_fault *b)
{
	int64_t la = a->line > 0 ? a->line : INT64_MAX, lb = b->line > 0 ? b->line : INT64_MAX;
	int64_t x = a->seq > 0 ? a->seq : INT64_MAX, y = b->seq > 0 ? b->seq : INT64_MAX;
	return la != lb ? la < lb : x < y;
}

/* The first place first; what is about the same stays in the order that it was found in. */
static void sort_faults(struct mm_judge *j)
{
	struct mm_fault *f = j->l.faults, x;
	for (size_t i = 1; i < j->r.n_faults; i++) {
		size_t k = i;
		for (x = f[i]; k > 0 && comes_first(&x, &f[k - 1]); k--)
			f[k] = f[k - 1];
		f[k] = x;
	}
}

const struct mm_audited *mm_judge_end(struct mm_judge *j)
{
	if (j->r.entries == 0) {
		sort_points(j);
		mm_judge_fault(j, 1, "entry 1", "removed: there is no entry at all");
	}
	if (j->r.last < j->r.pruned)
		j->r.last = j->r.pruned;
	beyond(j);
	mm_signers_end(j->signers, j->anchored, take_key_fault, j);
	if (j->anchored && !j->prune_seen)
		mm_judge_fault(j, 0, "anchor",
		    "entries up to %" PRId64 " are gone, and no entry says that they were pruned",
		    j->anchor.seq);
	name_missing(j);
	name_lost(j);
	sort_faults(j);
	j->r.faults = j->l.faults;
	return &j->r;
}
