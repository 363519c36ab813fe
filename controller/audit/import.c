/*
 * Reading an export back, part by part, and handing it to the judge. Nothing
 * in the file is trusted: what is out of form is a fault that names its line.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/audit/export.h"
#include "controller/audit/verify.h"

#define PART_MAX (64u * 1024u * 1024u)
#define HEAD_WORDS 3

struct reading {
	struct mm_judge *j;
	FILE *f;
	char *line;
	size_t cap;
	int64_t number, at; /* of the line; and of that where the part began */
	struct mm_sha256_ctx *sha;
	struct mm_buf head, part; /* of the part under way */
	const struct kind *kind;  /* NULL = none that is known */
	size_t lines;
	char *words[HEAD_WORDS];
	struct mm_buf held[2]; /* an entry, until it is known whether a personal part follows */
	char held_sha256[MM_SHA256_HEX];
	int64_t held_seq, held_at, last_point, last_entry;
	int rank;
	char *held_lines[10], *apart[3];
	char fleet_id[MM_ID_LEN];
	bool holds, has_apart, fleet, keys, ended, personal;
};

static void fault_at(struct reading *r, int64_t line, int64_t seq, const char *text)
{
	char place[64];
	snprintf(place, sizeof(place), "line %" PRId64, line);
	mm_judge_at(r->j, line);
	mm_judge_fault(r->j, seq, place, "%s", text);
}

static void fault(struct reading *r, int64_t seq, const char *text)
{
	fault_at(r, r->at, seq, text);
}

/* Cut `text` into exactly `n` lines, each ended. */
static bool cut(char *text, char **lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *end = strchr(text, '\n');
		if (end == NULL)
			return false;
		*end = '\0';
		lines[i] = text;
		text = end + 1;
	}
	return *text == '\0';
}

/* "LENGTH:TEXT": the text, or NULL. */
static const char *field(const char *line)
{
	const char *colon = strchr(line, ':');
	char number[24];
	int64_t n;
	if (colon == NULL || (size_t)(colon - line) >= sizeof(number))
		return NULL;
	memcpy(number, line, (size_t)(colon - line));
	number[colon - line] = '\0';
	if (mm_parse_int(number, 0, INT64_MAX, &n) != 0 || (size_t)n != strlen(colon + 1))
		return NULL;
	return colon + 1;
}

static bool summed(const struct reading *r, const char *want)
{
	char sum[MM_SHA256_HEX];
	mm_sha256_hex(mm_buf_str(&r->part), r->part.len, sum);
	return mm_streq(sum, want);
}

/* ---- entries */

static bool entry_of(struct reading *r, struct mm_chain_entry *e)
{
	const char *f[9];
	int64_t seq, time;
	if (!mm_streq(r->held_lines[0], MM_CHAIN_FORMAT))
		return false;
	for (int i = 0; i < 9; i++)
		if ((f[i] = field(r->held_lines[i + 1])) == NULL)
			return false;
	if (mm_parse_int(f[1], 1, INT64_MAX, &seq) != 0 || mm_parse_int(f[2], 0, INT64_MAX, &time) != 0)
		return false;
	*e = (struct mm_chain_entry){.prev = f[0],
	    .seq = seq,
	    .time = time,
	    .who = f[3],
	    .action = f[4],
	    .object = f[5],
	    .detail = f[6],
	    .reason = f[7],
	    .apart = f[8],
	    .sha256 = r->held_sha256};
	if (!r->has_apart)
		return true;
	e->salt = field(r->apart[0]);
	e->p_object = field(r->apart[1]);
	e->p_detail = field(r->apart[2]);
	return e->salt != NULL && e->p_object != NULL && e->p_detail != NULL;
}

static void release(struct reading *r)
{
	struct mm_chain_entry e;
	if (!r->holds)
		return;
	r->holds = false;
	mm_judge_at(r->j, r->held_at);
	if (entry_of(r, &e) && e.seq == r->held_seq)
		mm_judge_entry(r->j, &e);
	else
		fault_at(r, r->held_at, r->held_seq, "an entry that is out of form");
	r->has_apart = false;
}

static void take_entry(struct reading *r)
{
	int64_t seq;
	if (mm_parse_int(r->words[1], 1, INT64_MAX, &seq) != 0 || strlen(r->words[2]) != MM_SHA256_HEX - 1) {
		fault(r, 0, "an entry that is out of form");
		return;
	}
	mm_buf_reset(&r->held[0]);
	mm_buf_add(&r->held[0], mm_buf_str(&r->part), r->part.len);
	memcpy(r->held_sha256, r->words[2], MM_SHA256_HEX);
	r->held_seq = seq;
	r->held_at = r->at;
	r->holds = r->held[0].data != NULL && cut(r->held[0].data, r->held_lines, 10);
	if (!r->holds)
		fault(r, seq, "an entry that is out of form");
}

static void take_personal(struct reading *r)
{
	int64_t seq = 0;
	if (mm_parse_int(r->words[1], 1, INT64_MAX, &seq) != 0 || !r->holds || seq != r->held_seq ||
	    r->has_apart) {
		fault(r, seq, "a personal part without its entry");
		return;
	}
	if (!summed(r, r->words[2]))
		fault(r, seq, "a personal part that was changed");
	mm_buf_reset(&r->held[1]);
	mm_buf_add(&r->held[1], mm_buf_str(&r->part), r->part.len);
	r->has_apart = r->held[1].data != NULL && cut(r->held[1].data, r->apart, 3);
	if (!r->has_apart)
		fault(r, seq, "a personal part that is out of form");
}

/* ---- checkpoints */

static const char *member(const char *line, const char *name)
{
	size_t n = strlen(name);
	return strncmp(line, name, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

static bool take_text(char *out, size_t size, const char *s)
{
	if (s == NULL || strlen(s) != size - 1)
		return false;
	memcpy(out, s, size);
	return true;
}

static bool number_of(const char *s, int64_t *out)
{
	return s != NULL && mm_parse_int(s, 0, INT64_MAX, out) == 0;
}

static bool read_point(struct reading *r, struct mm_checkpoint *c)
{
	char *l[7];
	int64_t seq;
	struct mm_buf sig = MM_BUF_INIT(128);
	if (r->part.data == NULL || !cut(r->part.data, l, 7) || !mm_streq(l[0], "mailmuster-checkpoint-1") ||
	    !number_of(r->words[1], &seq))
		return false;
	bool good = mm_unbase64(r->words[2], strlen(r->words[2]), &sig) == 0 && sig.len == MM_SIGNATURE;
	if (good)
		memcpy(c->sig, sig.data, MM_SIGNATURE);
	mm_buf_free(&sig);
	return good && take_text(c->fleet, sizeof(c->fleet), member(l[1], "fleet")) &&
	       number_of(member(l[2], "seq"), &c->seq) && number_of(member(l[3], "entries"), &c->entries) &&
	       number_of(member(l[4], "time"), &c->time) &&
	       take_text(c->sha256, sizeof(c->sha256), member(l[5], "sha256")) &&
	       take_text(c->key, sizeof(c->key), member(l[6], "key")) && c->seq == seq;
}

static void take_anchor(struct reading *r)
{
	struct mm_checkpoint c = {.seq = 0};
	if (read_point(r, &c))
		mm_judge_anchor(r->j, &c);
	else
		fault(r, 0, "an anchor that is out of form");
}

/* Those of the file come behind their entries: they are looked at in the first pass. */
static void take_point(struct reading *r)
{
	struct mm_checkpoint c = {.seq = 0};
	if (!read_point(r, &c)) {
		fault(r, 0, "a checkpoint that is out of form");
		return;
	}
	if (c.seq <= r->last_point || c.seq != r->last_entry)
		fault(r, c.seq, "a checkpoint that does not stand behind its entry");
	r->last_point = c.seq;
	mm_judge_checkpoint(r->j, &c, NULL);
}

/* ---- what comes first and last */

static void take_head(struct reading *r)
{
	char *l[4];
	const char *fleet, *personal;
	bool good = summed(r, r->words[1]) && r->part.data != NULL && cut(r->part.data, l, 4);
	if (!good || !mm_streq(l[0], MM_EXPORT_FORMAT) || (fleet = member(l[1], "fleet")) == NULL ||
	    (personal = member(l[3], "personal")) == NULL) {
		fault(r, 0, "the head of the export was changed");
		return;
	}
	r->personal = mm_streq(personal, "yes");
	r->fleet = true;
	snprintf(r->fleet_id, sizeof(r->fleet_id), "%s", fleet);
	mm_judge_scope(r->j, fleet, r->personal);
}

static const char *pem_of(const char *der, struct mm_buf *b)
{
	mm_buf_reset(b);
	mm_buf_addf(b, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", der);
	return mm_buf_str(b);
}

static bool take_bytes(char **save, unsigned char *out, size_t n)
{
	const char *word = strtok_r(NULL, " ", save);
	struct mm_buf b = MM_BUF_INIT(128);
	bool good = word != NULL && mm_unbase64(word, strlen(word), &b) == 0 && b.len == n;
	if (good)
		memcpy(out, b.data, n);
	mm_buf_free(&b);
	return good;
}

/* How the key took the place of the one before: the words behind it. */
static bool take_rotation(struct reading *r, const char *id, const char *pem, const char *epoch, char **save)
{
	struct mm_rotation x = {.epoch = 0};
	struct mm_key *k = NULL;
	bool good = number_of(epoch, &x.epoch) && number_of(strtok_r(NULL, " ", save), &x.time) &&
		    take_text(x.former, sizeof(x.former), strtok_r(NULL, " ", save)) &&
		    take_bytes(save, x.sig, sizeof(x.sig)) && take_bytes(save, x.proof, sizeof(x.proof)) &&
		    take_text(x.key, sizeof(x.key), id) &&
		    mm_key_from_public_pem(pem, strlen(pem), &k, NULL) == 0;
	if (!good)
		return false;
	mm_key_public_raw(k, x.public);
	mm_key_free(k);
	snprintf(x.fleet, sizeof(x.fleet), "%s", r->fleet_id);
	mm_judge_rotation(r->j, &x);
	return true;
}

static void take_key(struct reading *r, char *line)
{
	struct mm_buf pem = MM_BUF_INIT(4096);
	char *save = NULL, *kind = strtok_r(line, " ", &save), *host = NULL;
	if (kind != NULL && mm_streq(kind, "host"))
		host = strtok_r(NULL, " ", &save);
	const char *id = strtok_r(NULL, " ", &save), *der = strtok_r(NULL, " ", &save),
		   *epoch = strtok_r(NULL, " ", &save);
	if (id == NULL || der == NULL)
		fault(r, 0, "a key that is out of form");
	else if (host != NULL)
		mm_judge_report_key(r->j, host, pem_of(der, &pem));
	else if (mm_judge_signer(r->j, pem_of(der, &pem), false, NULL) != 0)
		fault(r, 0, "a key that is none");
	else if (epoch != NULL && !take_rotation(r, id, mm_buf_str(&pem), epoch, &save))
		fault(r, 0, "a statement about a key that is out of form");
	mm_buf_free(&pem);
}

static void take_keys(struct reading *r)
{
	if (!summed(r, r->words[1])) {
		fault(r, 0, "the keys were changed");
		return;
	}
	r->keys = true;
	char *line = r->part.data, *end;
	for (; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		take_key(r, line);
	}
}

static void take_end(struct reading *r, const char *sum)
{
	struct mm_buf text = MM_BUF_INIT(512);
	mm_buf_addf(&text, "%s %s\n", MM_EXPORT_END, sum);
	r->ended = true;
	if (!mm_streq(sum, r->words[1])) {
		mm_judge_altered(r->j);
		fault(r, 0, "the file as a whole is another than the one that was written");
	} else if (!mm_judge_signed(r->j, mm_buf_str(&text), text.len, r->words[2]))
		fault(r, 0, "the file as a whole is not signed by the controller");
	mm_buf_free(&text);
}

/* ---- parts */

struct kind {
	const char *name;
	void (*take)(struct reading *r);
	size_t words; /* behind the name */
	bool first;   /* belongs to the first pass */
	size_t lines; /* at most; 0 = any number */
	int rank;     /* in what order they come */
};

static const struct kind kinds[] = {
    {"@export", take_head, 1, true, 4, 1},
    {"@keys", take_keys, 1, true, 0, 2},
    {"@anchor", take_anchor, 2, true, 7, 3},
    {"@checkpoint", take_point, 2, true, 7, 4},
    {"@entry", take_entry, 2, false, 10, 4},
    {"@personal", take_personal, 2, false, 3, 4},
    {NULL, NULL, 0, false, 0, 0},
};

/* Of a head's text; NULL = of none. */
static const struct kind *kind_of(const char *head)
{
	for (const struct kind *k = kinds; k->name != NULL; k++)
		if (strncmp(head, k->name, strlen(k->name)) == 0 && head[strlen(k->name)] == ' ')
			return k;
	return NULL;
}

static bool split_head(struct reading *r, size_t want)
{
	char *save = NULL;
	size_t n = 0;
	for (char *w = strtok_r(r->head.data, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		if (n == HEAD_WORDS)
			return false;
		r->words[n++] = w;
	}
	return n == want + 1;
}

/* The head, the keys, perhaps an anchor, and the rest: what the second pass
 * looks at is numbered. */
static void look_at_order(struct reading *r, const struct kind *k)
{
	int64_t seq = 0;
	if (k->words == 2)
		(void)mm_parse_int(r->words[1], 1, INT64_MAX, &seq);
	if (k->rank != r->rank + 1 && (k->rank < 4 || r->rank < 2))
		fault(r, seq, "a part that is not in its place");
	if (k->rank > r->rank)
		r->rank = k->rank;
	if (k->take == take_entry)
		r->last_entry = seq;
}

/* The part under way is complete. */
static void take_part(struct reading *r, bool first)
{
	const struct kind *k = r->kind;
	if (r->head.data == NULL || r->head.len == 0)
		return;
	mm_judge_at(r->j, r->at);
	if (k == NULL || !split_head(r, k->words)) {
		if (first)
			fault(r, 0, "a part that is out of form");
		mm_buf_reset(&r->head);
		mm_buf_reset(&r->part);
		return;
	}
	if (first)
		look_at_order(r, k);
	if (k->first == first) {
		if (k->take == take_entry)
			release(r);
		k->take(r);
	}
	mm_buf_reset(&r->head);
	mm_buf_reset(&r->part);
}

static void hash_line(struct reading *r, size_t n)
{
	mm_sha256_add(r->sha, r->line, n);
}

static void begin_part(struct reading *r, size_t n)
{
	r->at = r->number;
	mm_buf_reset(&r->head);
	mm_buf_reset(&r->part);
	mm_buf_add(&r->head, r->line, n > 0 && r->line[n - 1] == '\n' ? n - 1 : n);
	r->kind = kind_of(mm_buf_str(&r->head));
	r->lines = 0;
}

static void finish_file(struct reading *r, size_t n, bool first)
{
	char hex[MM_SHA256_HEX];
	uint8_t sum[MM_SHA256_LEN];
	mm_sha256_end(r->sha, sum);
	r->sha = mm_sha256_begin();
	mm_hex(sum, sizeof(sum), hex);
	begin_part(r, n);
	if (!first)
		release(r);
	if (n == 0 || r->line[n - 1] != '\n' || !split_head(r, 2)) {
		r->ended = true;
		if (first)
			fault(r, 0, "the last line is out of form");
	} else if (first) {
		take_end(r, hex);
	}
	mm_buf_reset(&r->head);
}

/* A line of the part under way. What is too much of it is not a part of it. */
static void take_line(struct reading *r, size_t n, bool first)
{
	bool full = r->kind != NULL && r->kind->lines > 0 && r->lines == r->kind->lines;
	if (!full)
		r->lines++;
	if (memchr(r->line, '\0', n) == NULL && r->head.len > 0 && !full && r->part.len + n <= PART_MAX)
		mm_buf_add(&r->part, r->line, n);
	else if (first)
		fault_at(r, r->number, 0, "a line that has no place here");
}

static int pass(struct reading *r, bool first, struct mm_err *err)
{
	ssize_t got;
	rewind(r->f);
	r->number = 0;
	r->ended = false;
	r->sha = mm_sha256_begin();
	while ((got = getline(&r->line, &r->cap, r->f)) > 0) {
		size_t n = (size_t)got;
		r->number++;
		if (r->ended) {
			if (first)
				fault_at(r, r->number, 0, "something stands behind the end");
			break;
		}
		if (r->line[0] == '@')
			take_part(r, first);
		if (strncmp(r->line, "@end ", 5) == 0) {
			finish_file(r, n, first);
			continue;
		}
		hash_line(r, n);
		if (r->line[0] == '@')
			begin_part(r, n);
		else
			take_line(r, n, first);
	}
	uint8_t unused[MM_SHA256_LEN];
	mm_sha256_end(r->sha, unused);
	take_part(r, first);
	if (!first)
		release(r);
	return ferror(r->f) ? mm_err_sys(err, MM_EX_FAILED, "cannot read the export") : 0;
}

int mm_judge_export(struct mm_judge *j, const char *path, struct mm_err *err)
{
	struct reading r = {.j = j,
	    .f = fopen(path, "re"),
	    .head = MM_BUF_INIT(4096),
	    .part = MM_BUF_INIT(PART_MAX),
	    .held = {MM_BUF_INIT(PART_MAX), MM_BUF_INIT(PART_MAX)},
	    .personal = true};
	if (r.f == NULL)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	int rc = pass(&r, true, err);
	int64_t end = r.ended ? r.number : r.number + 1;
	if (rc == 0 && !r.ended)
		fault_at(&r, end, 0, "cut off: the end is missing");
	mm_judge_at(j, 1);
	if (rc == 0 && !r.fleet)
		mm_judge_fault(j, 0, "line 1", "this is no export of an audit log, or its head was changed");
	else if (rc == 0 && !r.keys)
		fault_at(&r, end, 0, "the keys are missing");
	if (rc == 0)
		rc = pass(&r, false, err);
	mm_judge_at(j, end); /* what is missing is missing there */
	if (rc != 0)
		mm_err_prefix(err, "%s", path);
	fclose(r.f);
	free(r.line);
	mm_buf_free(&r.head);
	mm_buf_free(&r.part);
	mm_buf_free(&r.held[0]);
	mm_buf_free(&r.held[1]);
	return rc;
}
