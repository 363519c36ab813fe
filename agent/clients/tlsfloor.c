#include "agent/clients/tlsfloor.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/gnutls.h"
#include "common/text.h"

#define SYSTEM "/etc/debian_version"
#define NOT_UNDERSTOOD "what stands there is not understood here"
#define NOT_TRIED "what the TLS library of this system takes was not tried"
#define NOT_A_VERSION "which versions that allows is not known here"
#define LINE_MAX_HERE 180 /* inih of GnuTLS cuts lines at 200 */

static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};
#define N_VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* ---- lines of both files */

struct lines {
	struct mm_arena *a;
	const char *next, *end;
	int no;
	char *text; /* of this line, without blanks at its ends */
	bool indented;
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static char *trimmed(char *s)
{
	while (is_blank(*s))
		s++;
	for (size_t n = strlen(s); n > 0 && is_blank(s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static bool next_line(struct lines *l)
{
	if (l->next >= l->end)
		return false;
	const char *lf = memchr(l->next, '\n', (size_t)(l->end - l->next));
	l->length = (size_t)((lf != NULL ? lf : l->end) - l->next);
	l->indented = l->length > 0 && is_blank(l->next[0]);
	l->text = trimmed(mm_arena_strndup(l->a, l->next, l->length));
	l->next += l->length + 1;
	l->no++;
	return true;
}

/* "[ name ]" and nothing behind it. */
static const char *header_of(char *text)
{
	size_t n = strlen(text);
	if (text[0] != '[' || n < 2 || text[n - 1] != ']' || memchr(text, ']', n - 1) != NULL)
		return NULL;
	text[n - 1] = '\0';
	return trimmed(text + 1);
}

/* Splits at the sign; false: there is none. */
static bool split(char *text, char sign, char **key, char **value)
{
	char *at = strchr(text, sign);
	if (at == NULL || at == text)
		return false;
	*at = '\0';
	*key = trimmed(text);
	*value = trimmed(at + 1);
	return true;
}

static bool doubtful(struct mm_tls_floor *out, const char *path, int line, const char *why)
{
	*out = (struct mm_tls_floor){.path = path, .line = line, .why = why};
	return false;
}

/* 1: there; 0: no such file; -1: `out` says why nothing can be said. */
static int open_lines(struct mm_reader *r, const char *path, struct lines *l, struct mm_tls_floor *out)
{
	struct mm_text text;
	enum mm_file_trouble why;
	int rc = r->file(r, path, &text, &why, NULL);
	*l = (struct lines){.a = r->arena};
	if (rc < 0)
		doubtful(out, path, 0, "it cannot be read");
	if (rc <= 0)
		return rc;
	if (memchr(text.p, '\0', text.n) != NULL) {
		doubtful(out, path, 0, NOT_UNDERSTOOD);
		return -1;
	}
	l->next = text.p;
	l->end = text.p + text.n;
	return 1;
}

static bool is_set(struct mm_reader *r, const char *name, struct mm_tls_floor *out)
{
	if (r->env(r, name) == NULL)
		return false;
	doubtful(out, NULL, 0, mm_arena_printf(r->arena, "%s is set in the user's environment", name));
	return true;
}

static bool is_bookworm(struct mm_reader *r)
{
	struct mm_text text;
	enum mm_file_trouble why;
	return r->file(r, SYSTEM, &text, &why, NULL) == 1 && text.n >= 3 && memcmp(text.p, "12", 2) == 0 &&
	       (text.p[2] == '.' || text.p[2] == '\n');
}

/* ---- GnuTLS */

struct gnutls {
	bool disabled[N_VERSIONS];
	int line[N_VERSIONS];
	const char *priorities; /* default-priority-string */
	int priorities_line;
};

static bool gnutls_override(
    struct gnutls *g, const struct lines *l, char *key, const char *value, struct mm_tls_floor *out)
{
	if (mm_streq_nocase(key, "default-priority-string")) {
		g->priorities = value;
		g->priorities_line = l->no;
	}
	/* An allowlist's; nothing else in here is about versions. */
	if (mm_streq_nocase(key, "enabled-version"))
		return doubtful(out, MM_GNUTLS_CONFIG, l->no, NOT_UNDERSTOOD);
	for (size_t i = 0; mm_streq_nocase(key, "disabled-version") && i < N_VERSIONS; i++)
		if (strncasecmp(value, "TLS", 3) == 0 && mm_streq(value + 3, versions[i])) {
			g->disabled[i] = true;
			g->line[i] = l->no;
		}
	return true;
}

static bool gnutls_line(struct gnutls *g, struct lines *l, const char **section, struct mm_tls_floor *out)
{
	const char *header = header_of(l->text);
	char *key, *value;
	if (l->text[0] == '\0')
		return true;
	if (l->indented || l->length > LINE_MAX_HERE || strstr(l->text, " ;") || strstr(l->text, "\t;"))
		return doubtful(out, MM_GNUTLS_CONFIG, l->no, NOT_UNDERSTOOD);
	if (l->text[0] == '#' || l->text[0] == ';')
		return true;
	if (header != NULL) {
		*section = header;
		return true;
	}
	if (!split(l->text, '=', &key, &value) || strchr(key, ':') != NULL)
		return doubtful(out, MM_GNUTLS_CONFIG, l->no, NOT_UNDERSTOOD);
	if (mm_streq_nocase(*section, "global") && mm_streq_nocase(key, "override-mode") &&
	    !mm_streq_nocase(value, "blocklist"))
		return doubtful(out, MM_GNUTLS_CONFIG, l->no, NOT_UNDERSTOOD);
	return !mm_streq_nocase(*section, "overrides") || gnutls_override(g, l, key, value, out);
}

static size_t index_of(const char *version)
{
	size_t i = 0;
	while (i < N_VERSIONS && !mm_streq(versions[i], version))
		i++;
	return i;
}

/* The lowest from `own` on that is left. */
static void gnutls_left(
    const struct gnutls *g, const char *own, const char *own_path, int own_line, struct mm_tls_floor *out)
{
	size_t first = index_of(own), i = first;
	if (first == N_VERSIONS) { /* priorities that nobody here understands */
		doubtful(out, own_path, own_line, NOT_A_VERSION);
		return;
	}
	while (i < N_VERSIONS && g->disabled[i])
		i++;
	if (i == N_VERSIONS)
		doubtful(out, MM_GNUTLS_CONFIG, g->line[N_VERSIONS - 1], "every version is disabled there");
	else if (i == first)
		*out = (struct mm_tls_floor){.version = own, .path = own_path, .line = own_line};
	else
		*out = (struct mm_tls_floor){
		    .version = versions[i], .path = MM_GNUTLS_CONFIG, .line = g->line[i - 1]};
}

static void of_gnutls(struct mm_reader *r, const char *own, struct mm_tls_floor *out)
{
	struct gnutls g = {.priorities = NULL};
	struct lines l;
	const char *section = "";
	if (is_set(r, "GNUTLS_SYSTEM_PRIORITY_FILE", out) || open_lines(r, MM_GNUTLS_CONFIG, &l, out) < 0)
		return;
	while (next_line(&l))
		if (!gnutls_line(&g, &l, &section, out))
			return;
	if (own != NULL) {
		gnutls_left(&g, own, NULL, 0, out);
		return;
	}
	if (g.priorities != NULL && g.priorities[0] != '\0') {
		gnutls_left(&g, mm_gnutls_floor(g.priorities), MM_GNUTLS_CONFIG, g.priorities_line, out);
		return;
	}
	gnutls_left(&g, versions[0], NULL, 0, out);
	if (!g.disabled[0] && out->version != NULL && !is_bookworm(r))
		doubtful(out, NULL, 0, NOT_TRIED);
}

/* ---- OpenSSL */

struct conf_line {
	const char *section, *key, *value;
	int line;
};

struct openssl {
	struct conf_line *v;
	size_t n;
};

static const struct conf_line *conf_find(const struct openssl *o, const char *section, const char *key)
{
	const struct conf_line *found = NULL;
	for (size_t i = 0; i < o->n; i++)
		if (mm_streq(o->v[i].section, section) && mm_streq(o->v[i].key, key))
			found = &o->v[i];
	return found;
}

/* False: not understood, and `out` says so. */
static bool openssl_line(struct openssl *o, struct lines *l, const char **section, struct mm_tls_floor *out)
{
	char *key, *value, *hash = strchr(l->text, '#');
	size_t n = strlen(l->text);
	if (n > 0 && l->text[n - 1] == '\\')
		return doubtful(out, MM_OPENSSL_CONFIG, l->no, NOT_UNDERSTOOD);
	if (hash != NULL)
		*hash = '\0';
	l->text = trimmed(l->text);
	if (l->text[0] == '\0')
		return true;
	const char *header = header_of(l->text);
	if (header != NULL) {
		*section = header;
		return true;
	}
	if (l->text[0] == '.' || !split(l->text, '=', &key, &value) || strchr(key, ':') != NULL)
		return doubtful(out, MM_OPENSSL_CONFIG, l->no, NOT_UNDERSTOOD);
	o->v[o->n++] = (struct conf_line){.section = *section, .key = key, .value = value, .line = l->no};
	return true;
}

static int openssl_read(struct mm_reader *r, struct openssl *o, struct mm_tls_floor *out)
{
	struct lines l;
	const char *section = "default";
	size_t n = 1;
	int rc = open_lines(r, MM_OPENSSL_CONFIG, &l, out);
	if (rc <= 0)
		return rc;
	for (const char *p = l.next; p < l.end; p++)
		n += *p == '\n';
	o->v = mm_arena_alloc(r->arena, n, sizeof(*o->v));
	while (next_line(&l))
		if (!openssl_line(o, &l, &section, out))
			return -1;
	return 0;
}

static const char *protocol_of(const char *name)
{
	static const struct {
		const char *name, *version;
	} names[] = {{"None", "1.0"}, {"SSLv3", "1.0"}, {"TLSv1", "1.0"}, {"TLSv1.1", "1.1"},
	    {"TLSv1.2", "1.2"}, {"TLSv1.3", "1.3"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mm_streq(names[i].name, name))
			return names[i].version;
	return NULL;
}

/* Level 3 ends TLS 1.0, and level 4 ends 1.1 (SSL_CTX_set_security_level(3)). */
static bool raises_level(const char *ciphers)
{
	const char *at = strstr(ciphers, "SECLEVEL=");
	return at != NULL && !(at[9] >= '0' && at[9] <= '2' && (at[10] == '\0' || at[10] == ':'));
}

/* The section's commands; `1.MinProtocol` is MinProtocol. */
static bool openssl_command(const struct conf_line *c, struct mm_tls_floor *out)
{
	const char *dot = strchr(c->key, '.'), *key = dot != NULL ? dot + 1 : c->key;
	if (mm_streq_nocase(key, "MinProtocol")) {
		const char *version = protocol_of(c->value);
		if (version == NULL)
			return doubtful(out, MM_OPENSSL_CONFIG, c->line, NOT_UNDERSTOOD);
		*out = (struct mm_tls_floor){.version = version, .path = MM_OPENSSL_CONFIG, .line = c->line};
		return true;
	}
	if (mm_streq_nocase(key, "Protocol") || mm_streq_nocase(key, "MaxProtocol") ||
	    (mm_streq_nocase(key, "CipherString") && raises_level(c->value)))
		return doubtful(out, MM_OPENSSL_CONFIG, c->line, NOT_UNDERSTOOD);
	return true;
}

/* What the file says; the lowest where it says nothing. */
static bool openssl_system(struct mm_reader *r, struct mm_tls_floor *out)
{
	struct openssl o = {.n = 0};
	const struct conf_line *at;
	if (is_set(r, "OPENSSL_CONF", out) || openssl_read(r, &o, out) < 0)
		return false;
	*out = (struct mm_tls_floor){.version = versions[0]};
	at = conf_find(&o, "default", "openssl_conf");
	at = at != NULL ? conf_find(&o, at->value, "ssl_conf") : NULL;
	at = at != NULL ? conf_find(&o, at->value, "system_default") : NULL;
	for (size_t i = 0; at != NULL && i < o.n; i++)
		if (mm_streq(o.v[i].section, at->value) && !openssl_command(&o.v[i], out))
			return false;
	return is_bookworm(r) || doubtful(out, NULL, 0, NOT_TRIED);
}

/* What a program sets beats the file; what it does by itself is not below it. */
static void of_openssl(struct mm_reader *r, const struct mm_tls_own *own, struct mm_tls_floor *out)
{
	size_t mine = index_of(own->version);
	if (own->version != NULL && mine == N_VERSIONS) {
		doubtful(out, NULL, 0, NOT_A_VERSION);
		return;
	}
	if ((own->version != NULL && own->set) || !openssl_system(r, out))
		return;
	if (own->version != NULL && mine >= index_of(out->version))
		*out = (struct mm_tls_floor){.version = own->version};
}

/* It sets the lowest one itself; but of what else may be set there nothing is known. */
static void of_qt(struct mm_reader *r, struct mm_tls_floor *out)
{
	if (openssl_system(r, out))
		*out = (struct mm_tls_floor){.version = versions[0]};
}

void mm_tls_floor(
    struct mm_reader *r, enum mm_tls_library library, const struct mm_tls_own *own, struct mm_tls_floor *out)
{
	size_t mine = index_of(own->version);
	*out = (struct mm_tls_floor){.version = NULL};
	if (own->set && mine == N_VERSIONS) {
		doubtful(out, NULL, 0, NOT_A_VERSION);
		return;
	}
	switch (library) {
	case MM_TLS_GIO:
		if (!is_set(r, "G_TLS_GNUTLS_PRIORITY", out))
			of_gnutls(r, own->version, out);
		break;
	case MM_TLS_GNUTLS:
		of_gnutls(r, own->version, out);
		break;
	case MM_TLS_OPENSSL:
		of_openssl(r, own, out);
		break;
	case MM_TLS_QT:
		of_qt(r, out);
		break;
	case MM_TLS_OWN:
		if (own->version == NULL)
			doubtful(out, NULL, 0,
			    "the program has no setting for it, and brings a library of its own");
		else if (mine == N_VERSIONS)
			doubtful(out, NULL, 0, NOT_A_VERSION);
		else
			out->version = own->version;
		return;
	}
	/* The system may only add to what the program itself refuses. */
	if (out->version == NULL && mine < N_VERSIONS && (mine > 0 || own->set))
		*out = (struct mm_tls_floor){.version = own->version};
}
