#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/probe/hand.h"
#include "agent/probe/suggest.h"
#include "common/proc.h"
#include "common/term.h"
#include "common/text.h"

#define COMMAND_MS 120000 /* it may ask a person for a passphrase */
#define WORDS_MAX 64

extern char **environ;

/* ---- a command */

struct words {
	const char **v;
	size_t n;
};

static int take_word(const char **s, struct mm_buf *b, struct mm_err *err)
{
	char quote = '\0';
	const char *p = *s;
	for (; *p != '\0' && (quote != '\0' || strchr(" \t", *p) == NULL); p++) {
		if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote) {
			quote = '\0';
		} else if (*p == '\\' && quote != '\'' && p[1] != '\0') {
			mm_buf_addc(b, *++p);
		} else {
			mm_buf_addc(b, *p);
		}
	}
	*s = p;
	if (quote != '\0')
		return mm_err_set(err, MM_EX_USAGE, "a quotation in the command is not closed");
	return 0;
}

int mm_hand_words(const char *line, struct mm_arena *mem, const char *const **out, struct mm_err *err)
{
	struct words w = {.v = mm_arena_alloc(mem, WORDS_MAX + 1, sizeof(const char *))};
	for (;;) {
		line += strspn(line, " \t");
		if (*line == '\0')
			break;
		if (w.n == WORDS_MAX)
			return mm_err_set(err, MM_EX_USAGE, "the command has more than %d words", WORDS_MAX);
		struct mm_buf b = MM_BUF_INIT(4096);
		int rc = take_word(&line, &b, err);
		w.v[w.n++] = mm_arena_strdup(mem, mm_buf_str(&b));
		bool ok = mm_buf_ok(&b);
		mm_buf_free(&b);
		if (rc != 0 || !ok)
			return rc != 0 ? rc
				       : mm_err_set(err, MM_EX_USAGE, "a word of the command is too long");
	}
	if (w.n == 0)
		return mm_err_set(err, MM_EX_USAGE, "the command is empty");
	*out = w.v;
	return 0;
}

static const char *find_program(const char *name, struct mm_arena *mem)
{
	if (strchr(name, '/') != NULL) {
		char *real = realpath(name, NULL);
		const char *path = mm_arena_strdup(mem, real);
		free(real);
		return path;
	}
	const char *path = getenv("PATH");
	for (path = path != NULL ? path : "/usr/bin:/bin"; *path != '\0';) {
		size_t n = strcspn(path, ":");
		char *full = mm_arena_printf(mem, "%.*s/%s", (int)n, path, name);
		if (full[0] == '/' && access(full, X_OK) == 0)
			return full;
		path += path[n] == ':' ? n + 1 : n;
	}
	return NULL;
}

static int run_words(const char *const *words, struct mm_secret *s, struct mm_arena *mem, struct mm_err *err)
{
	size_t n = 0;
	assert(words[0] != NULL);
	while (words[n] != NULL)
		n++;
	const char **argv = mm_arena_alloc(mem, n + 1, sizeof(const char *));
	memcpy(argv, words, n * sizeof(*argv));
	argv[0] = find_program(words[0], mem);
	if (argv[0] == NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s: there is no such program", words[0]);
	/* by hand the command is as if it were typed: pass, gpg and secret-tool need more than a PATH */
	size_t n_env = 0;
	while (environ[n_env] != NULL)
		n_env++;
	const char **env = mm_arena_alloc(mem, n_env + 1, sizeof(const char *));
	memcpy(env, environ, n_env * sizeof(*env));
	const struct mm_run r = {.argv = argv, .env = env, .timeout_ms = COMMAND_MS};
	struct mm_run_result res;
	if (mm_run_secret(&r, s, &res, err) != 0)
		return -1;
	if (res.how == MM_RUN_TIMEOUT)
		return mm_err_set(err, MM_EX_FAILED, "%s: no answer in %d s", words[0], COMMAND_MS / 1000);
	if (res.how == MM_RUN_OVERFLOW)
		return mm_err_set(err, MM_EX_FAILED, "%s: the password is too long", words[0]);
	if (res.how != MM_RUN_EXITED || res.status != 0)
		return mm_err_set(err, MM_EX_FAILED, "%s: ended with %s %d", words[0],
		    res.how == MM_RUN_EXITED ? "status" : "signal", res.status);
	mm_secret_first_line(s);
	return 0;
}

static int run_command(const char *line, struct mm_secret *s, struct mm_err *err)
{
	struct mm_arena *mem = mm_arena_new();
	const char *const *words;
	int rc = mm_hand_words(line, mem, &words, err);
	if (rc == 0)
		rc = run_words(words, s, mem, err);
	mm_arena_free(mem);
	return rc;
}

/* ---- asking */

static bool needs_secret(const struct mm_probe_task *t)
{
	static const char *const without[] = {"none", "gssapi", "external", NULL};
	const char *const *w = without;
	while (*w != NULL && !mm_streq(*w, t->auth))
		w++;
	return t->level >= MM_LEVEL_LOGIN && *w == NULL;
}

static bool named_before(const struct mm_input *in, size_t first, size_t i)
{
	for (size_t j = first; j < i; j++)
		if (mm_hand_same_account(&in->tasks[first], &in->tasks[j]) &&
		    mm_streq_nocase(in->tasks[j].host, in->tasks[i].host))
			return true;
	return false;
}

/* Says to which hosts it will be sent. */
static int ask(const struct mm_input *in, size_t first, struct mm_secret *s, struct mm_err *err)
{
	const struct mm_probe_task *t = &in->tasks[first];
	struct mm_buf prompt = MM_BUF_INIT(8192);
	mm_buf_adds(&prompt, "Password for ");
	mm_printable(&prompt, t->username, strlen(t->username));
	mm_buf_adds(&prompt, " at ");
	for (size_t i = first; i < in->n; i++) {
		const struct mm_probe_task *u = &in->tasks[i];
		if (!mm_hand_same_account(t, u) || !needs_secret(u) ||
		    (i > first && named_before(in, first, i)))
			continue;
		mm_buf_adds(&prompt, i > first ? ", " : "");
		mm_printable(&prompt, u->host, strlen(u->host));
	}
	mm_buf_adds(&prompt, ": ");
	int rc = mm_secret_prompt(s, mm_buf_str(&prompt), err);
	mm_buf_free(&prompt);
	return rc;
}

static int get(const struct mm_hand_opts *o, const struct mm_input *in, size_t first, struct mm_secret *s,
    struct mm_err *err)
{
	const char *command = o->token_command != NULL ? o->token_command : o->password_command;
	int rc;
	if (command != NULL)
		return run_command(command, s, err);
	if (o->password_fd < 0)
		return ask(in, first, s, err);
	rc = mm_secret_read_fd(s, o->password_fd, err);
	mm_secret_first_line(s);
	return rc;
}

/* From a command or a descriptor comes one password, for all addresses. */
static bool shared(const struct mm_hand_opts *o, const struct mm_probe_task *a, const struct mm_probe_task *b)
{
	return o->password_fd >= 0 || o->password_command != NULL || o->token_command != NULL ||
	       mm_hand_same_account(a, b);
}

static int read_certificate(const char *path, struct mm_secret *s, struct mm_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	int rc = mm_secret_read_fd(s, fd, err);
	close(fd);
	if (rc != 0)
		return mm_err_prefix(err, "%s", path);
	if (strstr(mm_secret_bytes(s), "-----BEGIN CERTIFICATE-----") == NULL ||
	    strstr(mm_secret_bytes(s), "PRIVATE KEY-----") == NULL)
		return mm_err_set(
		    err, MM_EX_FAILED, "%s: not a PEM file with a certificate and its key", path);
	return 0;
}

static int add_certificate(const struct mm_hand_opts *o, struct mm_input *io, struct mm_err *err)
{
	if (o->client_cert == NULL)
		return 0;
	struct mm_secret *s = mm_secret_new_max(MM_SECRET_PEM_MAX);
	io->secrets[io->n_secrets++] = s;
	for (size_t i = 0; i < io->n; i++)
		io->tasks[i].certificate = (int64_t)io->n_secrets - 1;
	io->uses[io->n_secrets - 1] = io->n;
	return read_certificate(o->client_cert, s, err);
}

int mm_hand_secrets(const struct mm_hand_opts *o, struct mm_input *io, struct mm_err *err)
{
	for (size_t i = 0; i < io->n; i++) {
		if (!needs_secret(&io->tasks[i]) || io->tasks[i].secret >= 0)
			continue;
		size_t at = io->n_secrets++;
		io->secrets[at] = mm_secret_new();
		if (get(o, io, i, io->secrets[at], err) != 0)
			return -1;
		const char *odd =
		    mm_password_oddity(mm_secret_bytes(io->secrets[at]), mm_secret_len(io->secrets[at]));
		if (odd != NULL)
			fprintf(stderr, "mailmuster-probe: note: the password %s\n", odd);
		for (size_t j = i; j < io->n; j++) {
			struct mm_probe_task *t = &io->tasks[j];
			if (!needs_secret(t) || t->secret >= 0 || !shared(o, &io->tasks[i], t))
				continue;
			t->secret = (int64_t)at;
			io->uses[at]++;
		}
	}
	return add_certificate(o, io, err);
}
