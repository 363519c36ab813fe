/* The lowest TLS version of the system's libraries, from their files: what is
 * said is never higher than what a program really takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "agent/clients/tlsfloor.h"
#include "common/text.h"

struct machine {
	const char *debian, *gnutls, *openssl; /* texts of files; NULL: not there */
	const char *env;                       /* the variable that is set */
	bool set;                              /* its own version is one that somebody set */
	bool foreign;                          /* the libraries' files belong to somebody else */
};

static int read_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	const struct machine *m = r->ctx;
	bool library = mm_streq(path, MM_GNUTLS_CONFIG) || mm_streq(path, MM_OPENSSL_CONFIG);
	const char *text = mm_streq(path, "/etc/debian_version") ? m->debian
			   : mm_streq(path, MM_GNUTLS_CONFIG)    ? m->gnutls
			   : mm_streq(path, MM_OPENSSL_CONFIG)   ? m->openssl
								 : NULL;
	*why = MM_FILE_OK;
	if (library && m->foreign) {
		*why = MM_FILE_OWNER;
		return mm_err_set(err, MM_EX_FAILED, "belongs to somebody else");
	}
	if (text == NULL)
		return 0;
	*out = (struct mm_text){.p = text, .n = strlen(text)};
	return 1;
}

static const char *get_env(struct mm_reader *r, const char *name)
{
	const struct machine *m = r->ctx;
	return mm_streq(m->env, name) ? "x" : NULL;
}

#define D12 .debian = "12.11\n"
#define NO10 "disabled-version = tls1.0\n"
#define NO11 "disabled-version = TLS1.1\n"
#define CNF(commands) "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n" commands

static const struct floor_case {
	struct machine m;
	enum mm_tls_library library;
	const char *own, *version, *path;
	int line;
} cases[] = {
    /* GnuTLS */
    {{D12}, MM_TLS_GIO, NULL, "1.0", NULL, 0},
    {{.debian = "12\n"}, MM_TLS_GNUTLS, NULL, "1.0", NULL, 0},
    {{.debian = "13.1\n"}, MM_TLS_GIO, NULL, NULL, NULL, 0},
    {{.debian = "trixie/sid\n"}, MM_TLS_GIO, NULL, NULL, NULL, 0},
    {{.debian = NULL}, MM_TLS_GIO, NULL, NULL, NULL, 0},
    {{D12, .gnutls = ""}, MM_TLS_GIO, NULL, "1.0", NULL, 0},
    {{D12, .gnutls = "[overrides]\n" NO10}, MM_TLS_GIO, NULL, "1.1", MM_GNUTLS_CONFIG, 2},
    {{D12, .gnutls = "# x\n\n[Overrides]\r\n" NO11 NO10}, MM_TLS_GIO, NULL, "1.2", MM_GNUTLS_CONFIG, 4},
    {{D12, .gnutls = "[overrides]\n" NO11}, MM_TLS_GIO, NULL, "1.0", NULL, 0},
    {{.debian = NULL, .gnutls = "[overrides]\n" NO10 NO11}, MM_TLS_GIO, NULL, "1.2", MM_GNUTLS_CONFIG, 3},
    {{.debian = NULL, .gnutls = "[overrides]\n" NO11}, MM_TLS_GIO, NULL, NULL, NULL, 0},
    {{D12, .gnutls = "[overrides]\n" NO10 NO11 "Disabled-Version=tls1.2\n"}, MM_TLS_GIO, NULL, "1.3",
	MM_GNUTLS_CONFIG, 4},
    {{D12, .gnutls = NO10 NO11}, MM_TLS_GIO, NULL, "1.0", NULL, 0}, /* of no section */
    {{D12, .gnutls = "[priorities]\n" NO10 NO11}, MM_TLS_GIO, NULL, "1.0", NULL, 0},
    {{D12, .gnutls = "[overrides]\n#" NO10 ";" NO11}, MM_TLS_GIO, NULL, "1.0", NULL, 0},
    {{D12, .gnutls = "[overrides]\ndisabled-version = tls1.0x\n"}, MM_TLS_GIO, NULL, "1.0", NULL, 0},
    {{D12, .gnutls = "[overrides]\ninsecure-hash = sha1\ndisabled-curve = x25519\n" NO10}, MM_TLS_GIO, NULL,
	"1.1", MM_GNUTLS_CONFIG, 4},
    {{D12, .gnutls = "[overrides]\ndefault-priority-string = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1\n"}, MM_TLS_GIO,
	NULL, "1.2", MM_GNUTLS_CONFIG, 2},
    {{D12, .gnutls = "[overrides]\ndefault-priority-string = SECURE256\n"}, MM_TLS_GIO, NULL, NULL,
	MM_GNUTLS_CONFIG, 2},
    {{D12, .gnutls = "[overrides]\ndefault-priority-string = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1\n"},
	MM_TLS_GNUTLS, "1.0", "1.0", NULL, 0}, /* it sets priorities itself */
    {{D12, .gnutls = "[overrides]\n " NO10 NO11}, MM_TLS_GIO, NULL, NULL, MM_GNUTLS_CONFIG, 2},
    {{D12, .gnutls = "[overrides]\ndisabled-version = tls1.0 ; x\n"}, MM_TLS_GIO, NULL, NULL,
	MM_GNUTLS_CONFIG, 2},
    {{D12, .gnutls = "[overrides]\n" NO10 NO11 "nonsense\n"}, MM_TLS_GIO, NULL, NULL, MM_GNUTLS_CONFIG, 4},
    {{D12, .gnutls = "[global]\noverride-mode = allowlist\n"}, MM_TLS_GIO, NULL, NULL, MM_GNUTLS_CONFIG, 2},
    {{D12, .gnutls = "[global]\noverride-mode = blocklist\n[overrides]\n" NO10}, MM_TLS_GIO, NULL, "1.1",
	MM_GNUTLS_CONFIG, 4},
    {{D12, .gnutls = "[overrides]\nenabled-version = TLS1.3\n"}, MM_TLS_GIO, NULL, NULL, MM_GNUTLS_CONFIG, 2},
    {{D12, .env = "GNUTLS_SYSTEM_PRIORITY_FILE", .gnutls = "[overrides]\n" NO10 NO11}, MM_TLS_GIO, NULL, NULL,
	NULL, 0},
    {{D12, .env = "G_TLS_GNUTLS_PRIORITY"}, MM_TLS_GIO, NULL, NULL, NULL, 0},
    {{D12, .env = "G_TLS_GNUTLS_PRIORITY"}, MM_TLS_GNUTLS, NULL, "1.0", NULL, 0},
    {{D12, .foreign = true}, MM_TLS_GIO, NULL, NULL, MM_GNUTLS_CONFIG, 0},
    /* a program with a setting of its own: what is disabled is disabled for it as well */
    {{D12}, MM_TLS_GNUTLS, "1.2", "1.2", NULL, 0},
    {{D12, .gnutls = "[overrides]\n" NO10 NO11}, MM_TLS_GNUTLS, "1.0", "1.2", MM_GNUTLS_CONFIG, 3},
    {{D12, .gnutls = "[overrides]\n" NO10 NO11}, MM_TLS_GNUTLS, "1.3", "1.3", NULL, 0},
    {{D12, .gnutls = "nonsense\n"}, MM_TLS_GNUTLS, "1.2", "1.2", NULL, 0},
    {{D12, .gnutls = "nonsense\n"}, MM_TLS_GNUTLS, "1.0", NULL, MM_GNUTLS_CONFIG, 1},
    {{D12}, MM_TLS_GNUTLS, "PFS:%UNSAFE", NULL, NULL, 0},
    /* OpenSSL */
    {{D12}, MM_TLS_OPENSSL, NULL, "1.0", NULL, 0},
    {{D12, .openssl = "HOME = .\n[a]\nx = $y # z\n"}, MM_TLS_OPENSSL, NULL, "1.0", NULL, 0},
    {{D12, .openssl = CNF("MinProtocol = TLSv1.2\n")}, MM_TLS_OPENSSL, NULL, "1.2", MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("1.minprotocol=TLSv1.3 # x\n")}, MM_TLS_OPENSSL, NULL, "1.3", MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("MinProtocol = None\n")}, MM_TLS_OPENSSL, NULL, "1.0", MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("MinProtocol = TLSv1.3\nMinProtocol = TLSv1.1\n")}, MM_TLS_OPENSSL, NULL, "1.1",
	MM_OPENSSL_CONFIG, 8},
    {{D12, .openssl = "[c]\nMinProtocol = TLSv1.2\n"}, MM_TLS_OPENSSL, NULL, "1.0", NULL, 0},
    {{D12, .openssl = "[x]\n" CNF("MinProtocol = TLSv1.2\n")}, MM_TLS_OPENSSL, NULL, "1.0", NULL, 0},
    {{D12, .openssl = CNF("CipherString = DEFAULT@SECLEVEL=2\n")}, MM_TLS_OPENSSL, NULL, "1.0", NULL, 0},
    {{D12, .openssl = CNF("CipherString = DEFAULT@SECLEVEL=3\n")}, MM_TLS_OPENSSL, NULL, NULL,
	MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("Protocol = ALL,-TLSv1\n")}, MM_TLS_OPENSSL, NULL, NULL, MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("MinProtocol = TLSv1.4\n")}, MM_TLS_OPENSSL, NULL, NULL, MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("MinProtocol = $x\n")}, MM_TLS_OPENSSL, NULL, NULL, MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("MinProtocol = TLSv1.2\n") ".include x\n"}, MM_TLS_OPENSSL, NULL, NULL,
	MM_OPENSSL_CONFIG, 8},
    {{D12, .openssl = "x = y\\\nz\n"}, MM_TLS_OPENSSL, NULL, NULL, MM_OPENSSL_CONFIG, 1},
    {{D12, .env = "OPENSSL_CONF"}, MM_TLS_OPENSSL, NULL, NULL, NULL, 0},
    {{.debian = "13.1\n", .openssl = CNF("MinProtocol = TLSv1.2\n")}, MM_TLS_OPENSSL, NULL, NULL, NULL, 0},
    /* what the program refuses by itself, and what somebody has set in it */
    {{D12}, MM_TLS_OPENSSL, "1.1", "1.1", NULL, 0},
    {{D12, .openssl = CNF("MinProtocol = TLSv1.2\n")}, MM_TLS_OPENSSL, "1.1", "1.2", MM_OPENSSL_CONFIG, 7},
    {{D12, .openssl = CNF("MinProtocol = TLSv1.1\n")}, MM_TLS_OPENSSL, "1.1", "1.1", NULL, 0},
    {{D12, .set = true, .openssl = CNF("MinProtocol = TLSv1.2\n")}, MM_TLS_OPENSSL, "1.1", "1.1", NULL, 0},
    {{D12, .set = true, .openssl = CNF("MinProtocol = TLSv1.2\n")}, MM_TLS_OPENSSL, "1.3", "1.3", NULL, 0},
    {{D12, .openssl = "nonsense\n"}, MM_TLS_OPENSSL, "1.1", "1.1", NULL, 0},
    {{D12, .openssl = "nonsense\n"}, MM_TLS_OPENSSL, "1.0", NULL, MM_OPENSSL_CONFIG, 1},
    {{.debian = NULL}, MM_TLS_OPENSSL, "1.1", "1.1", NULL, 0},
    {{.debian = NULL}, MM_TLS_OPENSSL, "1.0", NULL, NULL, 0},
    {{D12, .set = true}, MM_TLS_OPENSSL, NULL, NULL, NULL, 0},
    {{D12, .set = true}, MM_TLS_GNUTLS, NULL, NULL, NULL, 0},
    {{D12}, MM_TLS_OPENSSL, "tls9", NULL, NULL, 0},
    /* Qt sets its own */
    {{D12}, MM_TLS_QT, NULL, "1.0", NULL, 0},
    {{D12, .openssl = CNF("MinProtocol = TLSv1.2\n")}, MM_TLS_QT, NULL, "1.0", NULL, 0},
    {{D12, .openssl = CNF("CipherString = DEFAULT@SECLEVEL=4\n")}, MM_TLS_QT, NULL, NULL, MM_OPENSSL_CONFIG,
	7},
    /* a library of its own */
    {{D12}, MM_TLS_OWN, "1.2", "1.2", NULL, 0},
    {{D12, .gnutls = "[overrides]\n" NO10 NO11}, MM_TLS_OWN, "1.0", "1.0", NULL, 0},
    {{D12}, MM_TLS_OWN, "tls1_3only", NULL, NULL, 0},
    {{D12}, MM_TLS_OWN, NULL, NULL, NULL, 0},
};

static void floors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct floor_case *c = &cases[i];
		struct machine m = c->m;
		struct mm_arena *a = mm_arena_new();
		struct mm_reader r = {.arena = a, .file = read_file, .env = get_env, .ctx = &m};
		struct mm_tls_floor f;
		const struct mm_tls_own own = {.version = c->own, .set = m.set};
		mm_tls_floor(&r, c->library, &own, &f);
		if (!mm_streq(f.version, c->version) || !mm_streq(f.path, c->path) || f.line != c->line ||
		    (f.version == NULL) != (f.why != NULL))
			fail_msg("case %zu: %s at %s:%d (%s)", i, f.version != NULL ? f.version : "?",
			    f.path != NULL ? f.path : "-", f.line, f.why != NULL ? f.why : "-");
		mm_arena_free(a);
	}
}

/* GnuTLS cuts a line in pieces at its limit, and reads the second as a line. */
static void long_lines_are_not_understood(void **state)
{
	char text[400];
	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '#';
	memcpy(text + sizeof(text) - 2, "\n", 2);
	struct machine m = {D12, .gnutls = text};
	struct mm_arena *a = mm_arena_new();
	struct mm_reader r = {.arena = a, .file = read_file, .env = get_env, .ctx = &m};
	const struct mm_tls_own own = {.version = NULL};
	struct mm_tls_floor f;
	mm_tls_floor(&r, MM_TLS_GIO, &own, &f);
	assert_null(f.version);
	assert_int_equal(f.line, 1);
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(floors),
	    cmocka_unit_test(long_lines_are_not_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
