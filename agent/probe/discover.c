#include "agent/probe/discover.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/probe/suggest.h"
#include "common/json.h"
#include "common/text.h"

#define USERNAME_DEFAULT "%{address}" /* RFC 6186 4: the full address first */
#define VALUE_MAX 256

static const char *const trust_words[MM_TRUST_COUNT] = {
    [MM_TRUST_NONE] = "unproven",
    [MM_TRUST_OWN] = "own-domain",
    [MM_TRUST_HTTPS] = "https",
    [MM_TRUST_DNSSEC] = "dnssec",
    [MM_TRUST_CERTIFICATE] = "certificate",
};

const char *mm_trust_word(enum mm_trust t)
{
	return trust_words[t];
}

int mm_discovery_begin(struct mm_discovery *d, const char *what, struct mm_arena *mem, struct mm_err *err)
{
	char domain[MM_SUGGEST_MAX];
	const char *at = strrchr(what, '@');
	const char *given = at != NULL ? at + 1 : what;
	*d = (struct mm_discovery){.mem = mem};
	if (mm_has_control(what) || at == what || strpbrk(given, " :/,?#") != NULL ||
	    !mm_host_clean(given, domain) || strchr(domain, '.') == NULL ||
	    strspn(domain, "0123456789.") == strlen(domain))
		return mm_err_set(err, MM_EX_USAGE, "this is neither a mail address nor a domain");
	d->address = at != NULL ? mm_arena_strdup(mem, what) : NULL;
	d->domain = mm_arena_strdup(mem, domain);
	return 0;
}

/* ---- candidates */

static struct mm_candidate *find(struct mm_discovery *d, const struct mm_candidate *c)
{
	for (size_t i = 0; i < d->n; i++) {
		struct mm_candidate *x = &d->list[i];
		if (mm_streq(x->protocol, c->protocol) && mm_streq_nocase(x->host, c->host) &&
		    x->port == c->port && mm_streq(x->security, c->security))
			return x;
	}
	return NULL;
}

static void merge(struct mm_candidate *x, const struct mm_candidate *c, struct mm_arena *mem)
{
	bool ranked = (x->found & MM_FOUND_SRV) != 0;
	if (!ranked && (c->found & MM_FOUND_SRV) != 0) {
		x->priority = c->priority;
		x->weight = c->weight;
	}
	x->found |= c->found;
	x->https = x->https || c->https;
	x->dnssec = x->dnssec || c->dnssec;
	if (x->auth == NULL)
		x->auth = c->auth;
	if (x->username == NULL)
		x->username = mm_arena_strdup(mem, c->username);
}

static char *lower(struct mm_arena *mem, const char *s)
{
	char *copy = mm_arena_strdup(mem, s);
	for (char *p = copy; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

void mm_discovery_add(struct mm_discovery *d, const struct mm_candidate *c)
{
	if (c->host == NULL || c->security == NULL || c->port < 1 || c->port > 65535 ||
	    !mm_is_hostname(c->host) || (c->username != NULL && strlen(c->username) > VALUE_MAX))
		return;
	if (mm_streq(c->security, "none") && !d->allow_cleartext) {
		d->refused_cleartext++;
		return;
	}
	struct mm_candidate *x = find(d, c);
	if (x != NULL) {
		merge(x, c, d->mem);
		return;
	}
	if (d->n == MM_CANDIDATES_MAX)
		return;
	x = mm_arena_push(d->mem, &d->list, &d->n, &d->cap, sizeof(*x));
	*x = *c;
	x->host = lower(d->mem, c->host);
	x->username = mm_arena_strdup(d->mem, c->username);
	x->cls = x->text = "";
}

void mm_discovery_add_srv(struct mm_discovery *d, size_t service, const struct mm_srv_answer *a)
{
	const struct mm_srv_service *s = &mm_srv_services[service];
	d->not_offered[service] = a->not_offered;
	for (size_t i = 0; i < a->n; i++)
		mm_discovery_add(d, &(struct mm_candidate){.protocol = s->protocol,
					.security = s->security,
					.host = a->srv[i].host,
					.port = a->srv[i].port,
					.found = MM_FOUND_SRV,
					.dnssec = a->dnssec,
					.priority = a->srv[i].priority,
					.weight = a->srv[i].weight});
}

static bool is_offered(const struct mm_discovery *d, const char *protocol, const char *security)
{
	for (size_t i = 0; i < MM_SRV_SERVICES; i++)
		if (d->not_offered[i] && mm_streq(mm_srv_services[i].protocol, protocol) &&
		    mm_streq(mm_srv_services[i].security, security))
			return false;
	return true;
}

void mm_discovery_add_standard(struct mm_discovery *d)
{
	static const struct {
		const char *name, *protocol, *security;
		int port;
	} usual[] = {{"imap", "imap", "tls", 993}, {"mail", "imap", "tls", 993}, {"pop", "pop3", "tls", 995},
	    {"mail", "pop3", "tls", 995}, {"smtp", "smtp", "tls", 465}, {"mail", "smtp", "tls", 465},
	    {"smtp", "smtp", "starttls", 587}, {"mail", "smtp", "starttls", 587}};
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (is_offered(d, usual[i].protocol, usual[i].security))
			mm_discovery_add(
			    d, &(struct mm_candidate){.protocol = usual[i].protocol,
				   .security = usual[i].security,
				   .host = mm_arena_printf(d->mem, "%s.%s", usual[i].name, d->domain),
				   .port = usual[i].port,
				   .found = MM_FOUND_STANDARD});
}

/* ---- who vouches */

static bool in_domain(const struct mm_discovery *d, const char *host)
{
	size_t n = strlen(d->domain), k = strlen(host);
	return strcmp(host, d->domain) == 0 ||
	       (k > n && host[k - n - 1] == '.' && strcmp(host + k - n, d->domain) == 0);
}

/* Among "DNS:a, DNS:b"; a wildcard does not stand for the domain itself. */
static bool names_domain(const char *names, const char *domain)
{
	size_t n = strlen(domain);
	for (const char *s = names; s != NULL && (s = strstr(s, "DNS:")) != NULL;) {
		s += strlen("DNS:");
		if (strncasecmp(s, domain, n) == 0 && (s[n] == '\0' || s[n] == ','))
			return true;
	}
	return false;
}

enum mm_trust mm_candidate_trust(const struct mm_discovery *d, const struct mm_candidate *c)
{
	if (in_domain(d, c->host))
		return MM_TRUST_OWN;
	if (c->dnssec)
		return MM_TRUST_DNSSEC;
	if (c->https)
		return MM_TRUST_HTTPS;
	if (mm_candidate_works(c) && !mm_streq(c->security, "none") &&
	    names_domain(c->certificate, d->domain))
		return MM_TRUST_CERTIFICATE;
	return MM_TRUST_NONE;
}

bool mm_candidate_works(const struct mm_candidate *c)
{
	return c->looked && c->result == MM_LOGIN_PASSED;
}

/* ---- how to log in */

static bool offers(const char *mechanisms, const char *name)
{
	size_t n = strlen(name);
	for (const char *s = mechanisms; s != NULL && *s != '\0'; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");
		if (len == n && strncasecmp(s, name, n) == 0)
			return true;
		s += len;
	}
	return false;
}

const char *mm_candidate_auth(const struct mm_candidate *c)
{
	static const char *const words[][2] = {{"password", "PLAIN"}, {"password", "LOGIN"},
	    {"xoauth2", "XOAUTH2"}, {"oauthbearer", "OAUTHBEARER"}, {"gssapi", "GSSAPI"},
	    {"external", "EXTERNAL"}, {"cram-md5", "CRAM-MD5"}};
	const size_t n = sizeof(words) / sizeof(words[0]);
	bool nothing = c->mechanisms == NULL || c->mechanisms[0] == '\0';
	for (size_t i = 0; c->auth != NULL && i < n; i++)
		if (mm_streq(words[i][0], c->auth) && (nothing || offers(c->mechanisms, words[i][1])))
			return c->auth;
	if (mm_streq(c->auth, "none"))
		return c->auth;
	for (size_t i = 0; i < n; i++)
		if (offers(c->mechanisms, words[i][1]))
			return words[i][0];
	return c->auth != NULL ? c->auth : "password";
}

/* ---- order */

static int protocol_order(const char *protocol)
{
	return mm_streq(protocol, "imap") ? 0 : mm_streq(protocol, "pop3") ? 1 : 2;
}

static int security_order(const char *security)
{
	return mm_streq(security, "tls") ? 0 : mm_streq(security, "starttls") ? 1 : 2;
}

struct worth {
	int v[7];
};

static struct worth worth_of(const struct mm_discovery *d, const struct mm_candidate *c)
{
	const unsigned published = MM_FOUND_SRV | MM_FOUND_AUTOCONFIG;
	return (struct worth){{mm_candidate_works(c) ? 0 : 1,
	    mm_candidate_trust(d, c) != MM_TRUST_NONE ? 0 : 1, protocol_order(c->protocol),
	    (c->found & published) != 0 ? 0 : 1, security_order(c->security), c->priority, -c->weight}};
}

static int by_worth(const void *a, const void *b, void *ctx)
{
	const struct mm_candidate *x = a, *y = b;
	struct worth p = worth_of(ctx, x), q = worth_of(ctx, y);
	for (size_t i = 0; i < sizeof(p.v) / sizeof(p.v[0]); i++)
		if (p.v[i] != q.v[i])
			return p.v[i] < q.v[i] ? -1 : 1;
	int rc = strcmp(x->host, y->host);
	return rc != 0 ? rc : (x->port > y->port) - (x->port < y->port);
}

void mm_discovery_rank(struct mm_discovery *d)
{
	if (d->n > 0)
		qsort_r(d->list, d->n, sizeof(*d->list), by_worth, d);
}

const struct mm_candidate *mm_discovery_best(const struct mm_discovery *d, bool incoming)
{
	for (size_t i = 0; i < d->n; i++)
		if (mm_candidate_works(&d->list[i]) && mm_streq(d->list[i].protocol, "smtp") != incoming)
			return &d->list[i];
	return NULL;
}

/* ---- written down */

/* A string of libconfig: it knows \\, \" and \xNN. */
static void quote(struct mm_buf *out, const char *s)
{
	mm_buf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mm_buf_addc(out, '\\');
		mm_buf_addc(out, *s);
	}
	mm_buf_addc(out, '"');
}

static void endpoint(
    const struct mm_discovery *d, const struct mm_candidate *c, const char *name, struct mm_buf *out)
{
	const char *auth = mm_candidate_auth(c);
	if (mm_candidate_trust(d, c) == MM_TRUST_NONE)
		mm_buf_addf(out,
		    "  # not in %s, and neither DNSSEC nor its web server vouches for it: ask before use\n",
		    d->domain);
	mm_buf_addf(out, "  %s = { protocol = ", name);
	quote(out, c->protocol);
	mm_buf_adds(out, "; host = ");
	quote(out, c->host);
	mm_buf_addf(out, "; port = %d; security = ", c->port);
	quote(out, c->security);
	mm_buf_adds(out, ";\n    auth = ");
	quote(out, auth);
	if (!mm_streq(auth, "none")) {
		mm_buf_adds(out, "; username = ");
		quote(out, c->username != NULL ? c->username : USERNAME_DEFAULT);
	}
	mm_buf_adds(out, "; };\n");
}

void mm_discovery_fragment(const struct mm_discovery *d, struct mm_buf *out)
{
	const struct mm_candidate *in = mm_discovery_best(d, true), *smtp = mm_discovery_best(d, false);
	if (in == NULL && smtp == NULL)
		return;
	mm_buf_adds(out, "endpoints = {\n");
	if (in != NULL)
		endpoint(d, in, "incoming", out);
	if (smtp != NULL)
		endpoint(d, smtp, "outgoing", out);
	mm_buf_adds(out, "};\naccounts = {\n  mail = { address = \"%{address}\"; real_name = \"%{name}\";");
	if (in != NULL)
		mm_buf_adds(out, " incoming = \"incoming\";");
	if (smtp != NULL)
		mm_buf_adds(out, " outgoing = \"outgoing\";");
	mm_buf_adds(out, " };\n};\n");
	if ((in != NULL && mm_streq(in->security, "none")) ||
	    (smtp != NULL && mm_streq(smtp->security, "none")))
		mm_buf_adds(out, "rules = { allow_cleartext = true; };\n");
}

void mm_candidate_json(const struct mm_discovery *d, const struct mm_candidate *c, struct mm_buf *out)
{
	json_t *o = json_object(), *found = json_array();
	if (o == NULL || found == NULL)
		mm_oom();
	mm_json_set_str(o, "protocol", c->protocol);
	mm_json_set_str(o, "host", c->host);
	mm_json_set_int(o, "port", c->port);
	mm_json_set_str(o, "security", c->security);
	mm_json_set_str(o, "auth", mm_candidate_auth(c));
	mm_json_set_str(o, "username", c->username != NULL ? c->username : USERNAME_DEFAULT);
	if ((c->found & MM_FOUND_SRV) != 0)
		json_array_append_new(found, json_string("srv"));
	if ((c->found & MM_FOUND_AUTOCONFIG) != 0)
		json_array_append_new(found, json_string("autoconfig"));
	if ((c->found & MM_FOUND_STANDARD) != 0)
		json_array_append_new(found, json_string("standard-name"));
	mm_json_set(o, "found", found);
	mm_json_set_str(o, "trust", mm_trust_word(mm_candidate_trust(d, c)));
	if ((c->found & MM_FOUND_SRV) != 0) {
		mm_json_set_int(o, "priority", c->priority);
		mm_json_set_int(o, "weight", c->weight);
	}
	mm_json_set_str(o, "result", mm_result_name(c->looked ? c->result : MM_LOGIN_UNTESTED));
	mm_json_set_str(o, "class", c->cls);
	mm_json_set_str(o, "text", c->text);
	mm_json_set_str(o, "mechanisms", c->mechanisms);
	mm_json_set_bool(o, "chosen", c == mm_discovery_best(d, true) || c == mm_discovery_best(d, false));
	mm_json_dump(o, out);
	json_decref(o);
}
