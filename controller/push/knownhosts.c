#include "controller/push/knownhosts.h"

#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/mem.h"
#include "common/text.h"

struct reading {
	const struct mm_known_host *hosts;
	size_t n_hosts;
	const struct mm_known_ops *ops;
	void *ctx;
	struct mm_known_stats *stats;
	struct mm_arena *arena; /* of the whole file: revoked keys, names */
	struct mm_sshkey *revoked;
	size_t n_revoked, cap_revoked;
	char ***names; /* for each host: what it may be called in the file, NULL-terminated */
};

struct line {
	int number;
	char *marker, *names, *key; /* marker NULL = none */
};

/* The next field; NUL-terminates it. "" at the end of the line. */
static char *field(char **at)
{
	char *p = *at + strspn(*at, " \t");
	char *end = p + strcspn(p, " \t");
	if (*end != '\0')
		*end++ = '\0';
	*at = end;
	return p;
}

/* 1 a line with a key, 0 blank or comment. */
static int split(char *text, int number, struct line *out)
{
	char *at = text + strspn(text, " \t");
	if (*at == '\0' || *at == '#')
		return 0;
	*out = (struct line){.number = number};
	if (*at == '@')
		out->marker = field(&at);
	out->names = field(&at);
	out->key = at + strspn(at, " \t");
	return 1;
}

/* ---- names */

static char *called(struct mm_arena *a, const char *name, int port)
{
	char *s = port == 22 ? mm_arena_strdup(a, name) : mm_arena_printf(a, "[%s]:%d", name, port);
	for (char *p = s; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a'); /* ssh stores names in lower case */
	return s;
}

static void make_names(struct reading *r)
{
	r->names = mm_arena_alloc(r->arena, r->n_hosts + 1, sizeof(*r->names));
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct mm_known_host *h = &r->hosts[i];
		char **n = r->names[i] = mm_arena_alloc(r->arena, 3, sizeof(*n));
		if (h->address[0] != '\0')
			*n++ = called(r->arena, h->address, h->port);
		if (!mm_streq(h->address, h->id))
			*n++ = called(r->arena, h->id, h->port);
	}
}

struct hashed {
	unsigned char salt[MM_SHA1_LEN], hash[MM_SHA1_LEN];
};

static int b64_20(const char *s, size_t n, unsigned char out[MM_SHA1_LEN])
{
	struct mm_buf b = MM_BUF_INIT(64);
	int rc = mm_unbase64(s, n, &b) == 0 && b.len == MM_SHA1_LEN ? 0 : -1;
	if (rc == 0)
		memcpy(out, b.data, MM_SHA1_LEN);
	mm_buf_free(&b);
	return rc;
}

/* "|1|salt|hash" */
static int parse_hashed(const char *s, struct hashed *out)
{
	if (!mm_starts_with(s, "|1|"))
		return -1;
	const char *salt = s + 3, *bar = strchr(salt, '|');
	if (bar == NULL || b64_20(salt, (size_t)(bar - salt), out->salt) < 0)
		return -1;
	return b64_20(bar + 1, strlen(bar + 1), out->hash);
}

static bool hash_is(const struct hashed *h, const char *name)
{
	unsigned char d[MM_SHA1_LEN];
	mm_hmac_sha1(h->salt, sizeof(h->salt), name, strlen(name), d);
	return memcmp(d, h->hash, sizeof(d)) == 0;
}

static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; *p != '\0';) {
		size_t len = strcspn(p, ",");
		/* Names in the file may be in any case. */
		if (len == n && strncasecmp(p, name, n) == 0)
			return true;
		p += len + (p[len] == ',' ? 1 : 0);
	}
	return false;
}

static bool host_matches(const struct reading *r, size_t i, const char *names, const struct hashed *h)
{
	for (char **n = r->names[i]; *n != NULL; n++)
		if (h != NULL ? hash_is(h, *n) : listed(names, *n))
			return true;
	return false;
}

/* ---- lines */

static void skip(struct reading *r, const struct line *l, const char *why, size_t *count)
{
	(*count)++;
	r->ops->skipped(r->ctx, l->number, why);
}

static int give(struct reading *r, const struct line *l, const struct mm_sshkey *key, struct mm_err *err)
{
	struct hashed h;
	bool hashed = l->names[0] == '|', hit = false;
	if (hashed && parse_hashed(l->names, &h) < 0) {
		skip(r, l, "the hashed name is damaged", &r->stats->bad);
		return 0;
	}
	for (size_t i = 0; i < r->n_hosts; i++) {
		if (!host_matches(r, i, l->names, hashed ? &h : NULL))
			continue;
		hit = true;
		if (r->ops->found(r->ctx, i, key, l->number, err) < 0)
			return -1;
	}
	if (hit)
		r->stats->used++;
	else if (strpbrk(l->names, "*?") != NULL)
		skip(r, l, "wildcards cannot be pinned", &r->stats->unusable);
	else
		r->stats->unknown++;
	return 0;
}

static int use_line(struct reading *r, const struct line *l, struct mm_err *err)
{
	struct mm_sshkey key;
	struct mm_err why = MM_ERR_NONE;
	r->stats->lines++;
	if (l->marker != NULL && mm_streq(l->marker, "@cert-authority"))
		skip(r, l, "certificate authorities cannot be pinned", &r->stats->unusable);
	else if (l->marker != NULL && mm_streq(l->marker, "@revoked"))
		r->stats->revoked++;
	else if (l->marker != NULL)
		skip(r, l, "unknown marker", &r->stats->bad);
	else if (mm_sshkey_parse(l->key, r->arena, &key, &why) < 0)
		skip(r, l, why.text, &r->stats->bad);
	else if (strchr(l->names, '!') != NULL)
		skip(r, l, "names with ! cannot be pinned", &r->stats->unusable);
	else if (mm_sshkey_pinned(r->revoked, r->n_revoked, key.blob, key.len))
		skip(r, l, "this key is marked @revoked", &r->stats->revoked);
	else
		return give(r, l, &key, err);
	return 0;
}

static int note_revoked(struct reading *r, const struct line *l, struct mm_err *err)
{
	struct mm_sshkey key;
	(void)err;
	if (l->marker == NULL || !mm_streq(l->marker, "@revoked"))
		return 0;
	if (mm_sshkey_parse(l->key, r->arena, &key, NULL) < 0)
		return 0; /* the second pass says nothing either: it revokes no key of ours */
	struct mm_sshkey *place =
	    mm_arena_push(r->arena, &r->revoked, &r->n_revoked, &r->cap_revoked, sizeof(key));
	*place = key;
	return 0;
}

static int each_line(struct reading *r, const char *text, size_t n,
    int (*use)(struct reading *, const struct line *, struct mm_err *), struct mm_err *err)
{
	char copy[MM_KNOWNHOSTS_LINE];
	int number = 0;
	for (size_t at = 0; at < n;) {
		const char *nl = memchr(text + at, '\n', n - at);
		size_t len = nl != NULL ? (size_t)(nl - (text + at)) : n - at;
		struct line l = {0};
		l.number = ++number;
		size_t kept = len > 0 && text[at + len - 1] == '\r' ? len - 1 : len;
		if (kept >= sizeof(copy) || memchr(text + at, '\0', kept) != NULL) {
			if (use == use_line)
				skip(r, &l, "the line is too long or holds a NUL", &r->stats->bad);
		} else {
			memcpy(copy, text + at, kept);
			copy[kept] = '\0';
			if (split(copy, number, &l) > 0 && use(r, &l, err) < 0)
				return -1;
		}
		at += len + 1;
	}
	return 0;
}

int mm_knownhosts_read(const char *text, size_t n, const struct mm_known_host *hosts, size_t n_hosts,
    const struct mm_known_ops *ops, void *ctx, struct mm_known_stats *stats, struct mm_err *err)
{
	struct mm_known_stats unused = {0};
	struct reading r = {.hosts = hosts, .n_hosts = n_hosts, .ops = ops, .ctx = ctx};
	r.stats = stats != NULL ? stats : &unused;
	*r.stats = (struct mm_known_stats){0};
	r.arena = mm_arena_new();
	make_names(&r);
	int rc = each_line(&r, text, n, note_revoked, err);
	if (rc == 0)
		rc = each_line(&r, text, n, use_line, err);
	mm_arena_free(r.arena);
	return rc;
}
