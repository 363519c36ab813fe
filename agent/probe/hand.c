#include "agent/probe/hand.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "agent/probe/url.h"
#include "common/term.h"
#include "common/text.h"

/* ---- from the command line to tasks */

static int choose_level(const struct mm_hand_opts *o, struct mm_probe_task *t, struct mm_err *err)
{
	int level = t->username != NULL ? MM_LEVEL_LOGIN : MM_LEVEL_TLS;
	if (o->level != NULL)
		level = mm_level_by_name(o->level);
	if (level < 0 || level > MM_LEVEL_LOGIN)
		return mm_err_set(err, MM_EX_USAGE, "--level is one of reach, tls, login");
	if (level == MM_LEVEL_LOGIN && t->username == NULL && !mm_streq(t->auth, "none"))
		return mm_err_set(
		    err, MM_EX_USAGE, "a login needs a user name: %s://USER@%s", t->protocol, t->host);
	t->level = (enum mm_level)level;
	return 0;
}

static int check_words(const struct mm_hand_opts *o, struct mm_err *err)
{
	const char *const *w = mm_auth_words;
	while (*w != NULL && !mm_streq(*w, o->auth))
		w++;
	if (o->auth != NULL && *w == NULL)
		return mm_err_set(err, MM_EX_USAGE, "--auth: %s is not known", o->auth);
	w = mm_security_words;
	while (*w != NULL && !mm_streq(*w, o->security))
		w++;
	if (o->security != NULL && *w == NULL)
		return mm_err_set(err, MM_EX_USAGE, "--security is one of tls, starttls, none");
	if (o->tls_min != NULL && !mm_streq(o->tls_min, "1.2") && !mm_streq(o->tls_min, "1.3"))
		return mm_err_set(err, MM_EX_USAGE, "--tls-min is 1.2 or 1.3");
	if (o->pin != NULL && !mm_starts_with(o->pin, "sha256//"))
		return mm_err_set(err, MM_EX_USAGE, "--pin is sha256// and the key's digest in base64");
	return 0;
}

static int absolute(const char *path, struct mm_arena *mem, const char **out, struct mm_err *err)
{
	*out = NULL;
	if (path == NULL)
		return 0;
	char *real = realpath(path, NULL);
	if (real == NULL)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	*out = mm_arena_strdup(mem, real);
	free(real);
	return 0;
}

static int get_secret(
    const struct mm_hand_opts *o, const struct mm_probe_task *t, struct mm_secret *s, struct mm_err *err)
{
	struct mm_buf prompt = MM_BUF_INIT(1024);
	int rc;
	if (o->password_fd >= 0) {
		rc = mm_secret_read_fd(s, o->password_fd, err);
		mm_secret_first_line(s);
	} else {
		mm_buf_adds(&prompt, "Password for ");
		mm_printable(&prompt, t->username, strlen(t->username));
		mm_buf_adds(&prompt, " at ");
		mm_printable(&prompt, t->host, strlen(t->host));
		mm_buf_adds(&prompt, ": ");
		rc = mm_secret_prompt(s, mm_buf_str(&prompt), err);
	}
	mm_buf_free(&prompt);
	return rc;
}

/* From a descriptor there is one password for all addresses; the terminal is
 * asked for each. */
static int add_secret(
    const struct mm_hand_opts *o, struct mm_probe_task *t, struct mm_input *out, struct mm_err *err)
{
	if (t->level != MM_LEVEL_LOGIN || mm_streq(t->auth, "none"))
		return 0;
	if (o->password_fd < 0 || out->n_secrets == 0) {
		out->secrets[out->n_secrets] = mm_secret_new();
		if (get_secret(o, t, out->secrets[out->n_secrets++], err) != 0)
			return -1;
	}
	t->secret = (int64_t)out->n_secrets - 1;
	out->uses[t->secret]++;
	return 0;
}

static int add_task(const char *url, const struct mm_hand_opts *o, const char *ca, struct mm_arena *mem,
    struct mm_input *out, struct mm_err *err)
{
	struct mm_probe_task *t = &out->tasks[out->n];
	*t = (struct mm_probe_task){.id = (int64_t)out->n + 1,
	    .secret = -1,
	    .certificate = -1,
	    .retrieve = -1,
	    .tls_min = o->tls_min,
	    .ca_file = ca,
	    .pin = o->pin};
	t->auth = o->auth != NULL ? o->auth : "password";
	if (mm_probe_url_parse(url, o->security, mem, t, err) != 0 || choose_level(o, t, err) != 0)
		return -1;
	out->n++;
	return 0;
}

int mm_hand_tasks(char *const *urls, size_t n, const struct mm_hand_opts *o, struct mm_arena *mem,
    struct mm_input *out, struct mm_err *err)
{
	const char *ca;
	*out = (struct mm_input){.n = 0};
	if (check_words(o, err) != 0 || absolute(o->ca_file, mem, &ca, err) != 0)
		return -1;
	out->tasks = mm_arena_alloc(mem, n, sizeof(*out->tasks));
	out->secrets = mm_xcalloc(n, sizeof(*out->secrets));
	out->uses = mm_xcalloc(n, sizeof(*out->uses));
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_task(urls[i], o, ca, mem, out, err);
	/* nobody is asked for a password before all addresses are right */
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_secret(o, &out->tasks[i], out, err);
	if (rc != 0)
		mm_input_free(out);
	return rc;
}

/* ---- from a result to a ladder */

static const char *colour(enum mm_colour c)
{
	if (!mm_term_colour(stdout))
		return "";
	return c == MM_GREEN    ? "\033[32m"
	       : c == MM_RED    ? "\033[31m"
	       : c == MM_YELLOW ? "\033[33m"
				: "\033[0m";
}

static void put(const char *s)
{
	struct mm_buf b = MM_BUF_INIT(64u * 1024u);
	mm_printable(&b, s, strlen(s));
	fputs(mm_buf_str(&b), stdout);
	mm_buf_free(&b);
}

static void rung(const char *name, const char *what, int ms)
{
	printf("  %sok%s    %-12s", colour(MM_GREEN), colour(MM_PLAIN), name);
	put(what);
	if (ms >= 0)
		printf(" (%d ms)", ms);
	putchar('\n');
}

static void note(const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	printf("        %-12s", label);
	put(text);
	putchar('\n');
}

static void print_cert(const struct mm_login *l)
{
	char until[MM_TIME_MAX];
	struct mm_buf b = MM_BUF_INIT(8192);
	if (l->tls.subject == NULL && l->tls.san == NULL)
		return;
	mm_buf_addf(&b, "%s, valid until %s", l->tls.san != NULL ? l->tls.san : l->tls.subject,
	    mm_time_utc(l->tls.not_after, until));
	if (l->any && l->reached >= MM_LEVEL_TLS)
		rung("certificate", mm_buf_str(&b), -1);
	else
		note("certificate", mm_buf_str(&b));
	note("issued by", l->tls.issuer);
	mm_buf_free(&b);
}

static void print_rungs(const struct mm_login *l)
{
	if (l->timing.dns >= 0)
		rung("name", l->host, l->timing.dns);
	if (l->timing.tcp >= 0)
		rung("connection", "made", l->timing.tcp);
	if (l->timing.tls >= 0) {
		struct mm_buf b = MM_BUF_INIT(256);
		mm_buf_addf(&b, "%s, %s", l->tls.version != NULL ? l->tls.version : "?",
		    l->tls.cipher != NULL ? l->tls.cipher : "?");
		rung("encryption", mm_buf_str(&b), l->timing.tls);
		mm_buf_free(&b);
	}
	print_cert(l);
	if (l->timing.greeting >= 0)
		rung("greeting", "came", l->timing.greeting);
	if (l->any && l->reached >= MM_LEVEL_LOGIN)
		rung("login", l->username, l->timing.login);
}

void mm_hand_print(const struct mm_login *l)
{
	static const struct {
		const char *word;
		enum mm_colour c;
	} verdicts[MM_LOGIN_COUNT] = {
	    [MM_LOGIN_PASSED] = {"PASSED", MM_GREEN},
	    [MM_LOGIN_FAILED] = {"FAILED", MM_RED},
	    [MM_LOGIN_UNTESTED] = {"UNTESTED", MM_YELLOW},
	};
	printf("%s ", l->protocol);
	put(l->username);
	printf("%s", l->username[0] != '\0' ? " at " : "");
	put(l->host);
	printf(" port %d, %s\n", l->port, l->security);
	print_rungs(l);
	printf("  %s%s%s", colour(verdicts[l->result].c), verdicts[l->result].word, colour(MM_PLAIN));
	if (l->result == MM_LOGIN_PASSED) {
		printf(" (%s)\n", mm_level_name(l->level));
		return;
	}
	printf(" %s: ", l->cls);
	put(l->text);
	putchar('\n');
	note("for admins", l->admin);
	note("server", l->server_text);
}
