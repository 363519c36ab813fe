#include "agent/probe/autoconfig.h"

#include <expat.h>
#include <string.h>

#include "common/text.h"

enum field { FIELD_HOST, FIELD_PORT, FIELD_SOCKET, FIELD_USERNAME, FIELD_AUTH, FIELD_COUNT, FIELD_NONE };

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_HOST] = "hostname",
    [FIELD_PORT] = "port",
    [FIELD_SOCKET] = "socketType",
    [FIELD_USERNAME] = "username",
    [FIELD_AUTH] = "authentication",
};

/* Where in the file: clientConfig > emailProvider > incomingServer > hostname. */
enum { DEPTH_ROOT = 1, DEPTH_PROVIDER, DEPTH_SERVER, DEPTH_FIELD };

struct reader {
	XML_Parser parser;
	struct mm_discovery *d;
	int depth;
	bool root, in_provider, in_server, any_provider;
	enum field field;
	struct mm_buf text;
	struct mm_candidate c; /* of the server being read */
	struct mm_candidate *list;
	size_t n, cap;
	const char *trouble;
};

static void stop(struct reader *r, const char *trouble)
{
	r->trouble = trouble;
	XML_StopParser(r->parser, XML_FALSE);
}

/* ---- words */

static const char *replace_all(struct mm_discovery *d, const char *s, bool for_policy)
{
	static const struct {
		const char *word, *policy;
	} places[] = {{"%EMAILADDRESS%", "%{address}"}, {"%EMAILLOCALPART%", "%{address.local}"},
	    {"%EMAILDOMAIN%", "%{address.domain}"}};
	struct mm_buf b = MM_BUF_INIT(2 * MM_AUTOCONFIG_TEXT);
	while (*s != '\0') {
		size_t i = 0;
		while (i < 3 && !mm_starts_with(s, places[i].word))
			i++;
		if (i == 3) {
			/* a lone % has a meaning in a policy */
			mm_buf_adds(&b, for_policy && *s == '%' ? "%" : "");
			mm_buf_addc(&b, *s++);
			continue;
		}
		s += strlen(places[i].word);
		mm_buf_adds(&b, for_policy ? places[i].policy : i == 2 ? d->domain : "%");
	}
	return mm_buf_take(&b, d->mem);
}

static const char *word_of(const char *const (*table)[2], const char *s)
{
	for (; (*table)[0] != NULL; table++)
		if (mm_streq_nocase((*table)[0], s))
			return (*table)[1];
	return NULL;
}

static const char *security_of(const char *s)
{
	static const char *const words[][2] = {
	    {"SSL", "tls"}, {"TLS", "tls"}, {"STARTTLS", "starttls"}, {"plain", "none"}, {NULL, NULL}};
	return word_of(words, s);
}

static const char *auth_of(const char *s)
{
	static const char *const words[][2] = {{"password-cleartext", "password"}, {"plain", "password"},
	    {"password-encrypted", "cram-md5"}, {"secure", "cram-md5"}, {"OAuth2", "xoauth2"},
	    {"GSSAPI", "gssapi"}, {"TLS-client-cert", "external"}, {"none", "none"}, {NULL, NULL}};
	return word_of(words, s);
}

static char *trimmed(struct reader *r)
{
	const char *s = mm_buf_str(&r->text);
	s += strspn(s, " \t\r\n");
	size_t n = strlen(s);
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		n--;
	return mm_arena_strndup(r->d->mem, s, n);
}

static void end_field(struct reader *r)
{
	char *s = trimmed(r);
	int64_t port;
	if (mm_has_control(s) || !mm_buf_ok(&r->text))
		return;
	switch (r->field) {
	case FIELD_HOST:
		r->c.host = replace_all(r->d, s, false);
		break;
	case FIELD_PORT:
		r->c.port = mm_parse_int(s, 1, 65535, &port) == 0 ? (int)port : 0;
		break;
	case FIELD_SOCKET:
		r->c.security = security_of(s);
		break;
	case FIELD_USERNAME:
		r->c.username = replace_all(r->d, s, true);
		break;
	case FIELD_AUTH:
		/* several are in the order of preference; the first that we know */
		if (r->c.auth == NULL)
			r->c.auth = auth_of(s);
		break;
	case FIELD_COUNT:
	case FIELD_NONE:
		break;
	}
}

/* ---- expat's calls */

static const char *attribute(const char **atts, const char *name)
{
	for (; atts[0] != NULL; atts += 2)
		if (strcmp(atts[0], name) == 0)
			return atts[1];
	return "";
}

static void begin_server(struct reader *r, const char *name, const char **atts)
{
	const char *type = attribute(atts, "type");
	bool incoming = strcmp(name, "incomingServer") == 0;
	bool known = incoming ? strcmp(type, "imap") == 0 || strcmp(type, "pop3") == 0
			      : strcmp(name, "outgoingServer") == 0 && strcmp(type, "smtp") == 0;
	if (!known)
		return;
	r->in_server = true;
	r->c = (struct mm_candidate){.protocol = strcmp(type, "imap") == 0 ? "imap"
						 : incoming                ? "pop3"
									   : "smtp",
	    .found = MM_FOUND_AUTOCONFIG,
	    .https = true};
}

static void XMLCALL on_begin(void *ctx, const char *name, const char **atts)
{
	struct reader *r = ctx;
	if (++r->depth > MM_AUTOCONFIG_DEPTH) {
		stop(r, "it is nested too deeply");
	} else if (r->depth == DEPTH_ROOT) {
		r->root = strcmp(name, "clientConfig") == 0;
		if (!r->root)
			stop(r, "it is no clientConfig");
	} else if (r->depth == DEPTH_PROVIDER) {
		r->in_provider = !r->any_provider && strcmp(name, "emailProvider") == 0;
		r->any_provider = r->any_provider || r->in_provider;
	} else if (r->depth == DEPTH_SERVER && r->in_provider) {
		begin_server(r, name, atts);
	} else if (r->depth == DEPTH_FIELD && r->in_server) {
		int f = 0;
		while (f < FIELD_COUNT && strcmp(field_names[f], name) != 0)
			f++;
		r->field = f < FIELD_COUNT ? (enum field)f : FIELD_NONE;
		mm_buf_reset(&r->text);
	}
}

static void end_server(struct reader *r)
{
	r->in_server = false;
	if (r->n == MM_AUTOCONFIG_SERVERS) {
		stop(r, "it names too many servers");
		return;
	}
	struct mm_candidate *slot = mm_arena_push(r->d->mem, &r->list, &r->n, &r->cap, sizeof(*slot));
	*slot = r->c;
}

static void XMLCALL on_end(void *ctx, const char *name)
{
	struct reader *r = ctx;
	(void)name;
	if (r->depth == DEPTH_FIELD && r->in_server && r->field != FIELD_NONE) {
		end_field(r);
		r->field = FIELD_NONE;
	} else if (r->depth == DEPTH_SERVER && r->in_server) {
		end_server(r);
	} else if (r->depth == DEPTH_PROVIDER) {
		r->in_provider = false;
	}
	r->depth--;
}

static void XMLCALL on_text(void *ctx, const char *s, int n)
{
	struct reader *r = ctx;
	if (r->depth == DEPTH_FIELD && r->field != FIELD_NONE)
		mm_buf_add(&r->text, s, (size_t)n);
}

static void XMLCALL on_doctype(
    void *ctx, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	stop(ctx, "it has a document type");
}

int mm_autoconfig_parse(const char *xml, size_t n, struct mm_discovery *d, struct mm_err *err)
{
	if (n > MM_AUTOCONFIG_MAX)
		return mm_err_set(
		    err, MM_EX_DATAERR, "the autoconfig file has more than %u bytes", MM_AUTOCONFIG_MAX);
	struct reader r = {.d = d, .field = FIELD_NONE, .text = MM_BUF_INIT(MM_AUTOCONFIG_TEXT)};
	r.parser = XML_ParserCreate(NULL);
	if (r.parser == NULL)
		mm_oom();
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	bool ok = XML_Parse(r.parser, xml, (int)n, 1) == XML_STATUS_OK && r.root;
	const char *why = r.trouble != NULL ? r.trouble : XML_ErrorString(XML_GetErrorCode(r.parser));
	if (!ok)
		mm_err_set(err, MM_EX_DATAERR, "the autoconfig file is not usable: %s", why);
	for (size_t i = 0; ok && i < r.n; i++)
		mm_discovery_add(d, &r.list[i]);
	XML_ParserFree(r.parser);
	mm_buf_free(&r.text);
	return ok ? 0 : -1;
}
