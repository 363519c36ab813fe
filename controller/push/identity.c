#include "controller/push/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"
#include "common/mem.h"
#include "common/secret.h"
#include "common/text.h"
#include "controller/push/spawn.h"
#include "controller/push/sshagent.h"
#include "controller/push/sshbuf.h"
#include "schemas/signing.h"

#define FILE_MAX 32768 /* bytes of a key file */
#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC "openssh-key-v1" /* with its NUL */
#define AGENT "/usr/bin/ssh-agent"
#define ADD "/usr/bin/ssh-add"
#define AGENT_START_MS 5000

struct mm_identity {
	struct mm_arena *arena;
	struct mm_secret *seed; /* NULL when an agent signs */
	const char *file, *agent;
	struct mm_sshkey *keys;
	size_t n_keys;
	/* a private agent */
	char *dir;
	pid_t pid;
	int keep; /* while this pipe is open, the agent lives */
};

/* ---- the file format */

static bool is(const unsigned char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

/* The private section of an unencrypted key: two equal numbers, type,
 * public key, seed and public key, comment, padding. */
static int parse_private(struct mm_ssh_reader r, unsigned char seed[32], unsigned char pub[32])
{
	const unsigned char *p;
	size_t n;
	unsigned a, b;
	if (mm_ssh_read_u32(&r, &a) < 0 || mm_ssh_read_u32(&r, &b) < 0 || a != b ||
	    mm_ssh_read_string(&r, &p, &n) < 0 || !is(p, n, "ssh-ed25519") ||
	    mm_ssh_read_string(&r, &p, &n) < 0 || n != 32)
		return -1;
	memcpy(pub, p, 32);
	if (mm_ssh_read_string(&r, &p, &n) < 0 || n != 64 || memcmp(p + 32, pub, 32) != 0)
		return -1;
	memcpy(seed, p, 32);
	return 0;
}

/* 1: fine, but not for us. */
static int parse_raw(
    const struct mm_buf *raw, unsigned char seed[32], struct mm_arena *a, struct mm_sshkey *pub)
{
	const unsigned char *cipher, *kdf, *opts, *blob, *secret;
	size_t cn, kn, on, bn, sn;
	unsigned count;
	unsigned char inner[32];
	if (raw->len < sizeof(MAGIC) || memcmp(raw->data, MAGIC, sizeof(MAGIC)) != 0)
		return -1;
	struct mm_ssh_reader r = {(const unsigned char *)raw->data + sizeof(MAGIC), raw->len - sizeof(MAGIC)};
	if (mm_ssh_read_string(&r, &cipher, &cn) < 0 || mm_ssh_read_string(&r, &kdf, &kn) < 0 ||
	    mm_ssh_read_string(&r, &opts, &on) < 0 || mm_ssh_read_u32(&r, &count) < 0 || count != 1 ||
	    mm_ssh_read_string(&r, &blob, &bn) < 0 || mm_ssh_read_string(&r, &secret, &sn) < 0)
		return -1;
	struct mm_ssh_reader b = {blob, bn};
	const unsigned char *type, *key;
	size_t tn, n;
	if (!is(cipher, cn, "none") || mm_ssh_read_string(&b, &type, &tn) < 0 || !is(type, tn, "ssh-ed25519"))
		return 1;
	if (mm_ssh_read_string(&b, &key, &n) < 0 || n != 32 ||
	    parse_private((struct mm_ssh_reader){secret, sn}, seed, inner) < 0 || memcmp(inner, key, 32) != 0)
		return -1;
	return mm_sshkey_from_blob(blob, bn, a, pub, NULL);
}

/* Base64 between two lines, broken into lines. */
static int unarmour(const char *text, size_t n, struct mm_buf *raw)
{
	const char *b = memmem(text, n, BEGIN, strlen(BEGIN));
	const char *e = memmem(text, n, END, strlen(END));
	if (b == NULL || e == NULL || e < b)
		return -1;
	struct mm_buf flat = MM_BUF_INIT(FILE_MAX);
	for (const char *p = b + strlen(BEGIN); p < e; p++)
		if (*p != '\n' && *p != '\r' && *p != ' ')
			mm_buf_addc(&flat, *p);
	int rc = mm_unbase64(mm_buf_str(&flat), flat.len, raw);
	if (flat.data != NULL)
		explicit_bzero(flat.data, flat.cap);
	mm_buf_free(&flat);
	return rc;
}

/* Does the seed make this public key? A damaged file must not give a key
 * that signs for nobody. */
static int check_seed(const unsigned char seed[32], const struct mm_sshkey *pub)
{
	struct mm_key *k;
	unsigned char raw[MM_KEY_RAW];
	if (mm_key_from_seed(seed, &k, NULL) < 0)
		return -1;
	mm_key_public_raw(k, raw);
	mm_key_free(k);
	return memcmp(pub->blob + pub->len - sizeof(raw), raw, sizeof(raw)) == 0 ? 0 : -1;
}

int mm_identity_parse(const char *text, size_t n, unsigned char seed[32], struct mm_arena *a,
    struct mm_sshkey *pub, struct mm_err *err)
{
	struct mm_buf raw = MM_BUF_INIT(FILE_MAX);
	int rc = 1; /* PEM and PKCS#8 keys are for ssh-add */
	if (memmem(text, n, BEGIN, strlen(BEGIN)) != NULL)
		rc = unarmour(text, n, &raw) < 0 ? -1 : parse_raw(&raw, seed, a, pub);
	else if (memmem(text, n, "PRIVATE KEY-----", 16) == NULL)
		rc = -1;
	if (rc == 0)
		rc = check_seed(seed, pub);
	if (raw.data != NULL)
		explicit_bzero(raw.data, raw.cap);
	mm_buf_free(&raw);
	return rc >= 0 ? rc : mm_err_set(err, MM_EX_DATAERR, "this is no SSH private key, or it is damaged");
}

/* ---- agents */

static int take_agent_keys(struct mm_identity *id, const char *socket, struct mm_err *err)
{
	struct mm_sshkey *keys = mm_arena_alloc(id->arena, MM_AGENT_KEYS_MAX, sizeof(*keys));
	int fd = mm_agent_connect(socket, err);
	if (fd < 0)
		return -1;
	int rc = mm_agent_list(fd, id->arena, keys, &id->n_keys, err);
	close(fd);
	if (rc < 0)
		return -1;
	if (id->n_keys == 0)
		return mm_err_set(err, MM_EX_FAILED, "the ssh-agent has no key (ssh-add adds one)");
	id->keys = keys;
	id->agent = mm_arena_strdup(id->arena, socket);
	return 0;
}

/* Does the user's agent have the key of this file? Its public half stands in
 * FILE.pub. Then nobody needs to be asked for a passphrase. */
static bool agent_has(struct mm_identity *id, const char *path)
{
	const char *socket = getenv("SSH_AUTH_SOCK");
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	struct mm_sshkey pub;
	bool found = false;
	if (socket != NULL && *socket != '\0' &&
	    mm_file_read_own(mm_arena_printf(id->arena, "%s.pub", path), FILE_MAX, false, &text, NULL) == 0 &&
	    mm_sshkey_parse(mm_buf_str(&text), id->arena, &pub, NULL) == 0 &&
	    take_agent_keys(id, socket, NULL) == 0 &&
	    mm_sshkey_pinned(id->keys, id->n_keys, pub.blob, pub.len)) {
		id->keys = mm_arena_alloc(id->arena, 1, sizeof(pub));
		*id->keys = pub;
		id->n_keys = 1;
		found = true;
	}
	mm_buf_free(&text);
	return found;
}

/* ssh-agent ends when the command that it was given ends: cat, which ends
 * when our end of the pipe is closed, however we die. */
static int start_agent(struct mm_identity *id, struct mm_err *err)
{
	int p[2];
	const char *tmp = getenv("XDG_RUNTIME_DIR");
	id->dir = mm_xstrdup(
	    mm_arena_printf(id->arena, "%s/mailmuster-XXXXXX", tmp != NULL && *tmp == '/' ? tmp : "/tmp"));
	if (mkdtemp(id->dir) == NULL) {
		free(id->dir);
		id->dir = NULL;
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a private folder for the ssh-agent");
	}
	const char *socket = mm_arena_printf(id->arena, "%s/agent", id->dir);
	const char *const argv[] = {AGENT, "-a", socket, "/bin/cat", NULL};
	if (pipe2(p, O_CLOEXEC) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a pipe");
	struct mm_spawn s = {
	    .argv = argv, .env = mm_spawn_env(id->arena, NULL), .fds = {p[0], -1, -1}, .n_fds = 3};
	int rc = mm_spawn(&s, &id->pid, err);
	close(p[0]);
	id->keep = p[1];
	struct stat st;
	for (int ms = 0; rc == 0 && stat(socket, &st) < 0; ms += 5) {
		if (ms >= AGENT_START_MS)
			return mm_err_set(err, MM_EX_FAILED,
			    "%s does not start (it is needed for a key with a passphrase)", AGENT);
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	id->agent = socket;
	return rc;
}

/* ssh-add asks on our terminal, so it stays in our session. */
static int run_add(struct mm_identity *id, const char *path, struct mm_err *err)
{
	static const char *const extra[] = {
	    "DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "TERM", NULL};
	const char *const *usual = mm_spawn_env(id->arena, extra);
	size_t n = 0;
	while (usual[n] != NULL)
		n++;
	const char **env = mm_arena_alloc(id->arena, n + 2, sizeof(*env));
	memcpy(env, usual, n * sizeof(*env));
	env[n] = mm_arena_printf(id->arena, "SSH_AUTH_SOCK=%s", id->agent);
	const char *const argv[] = {ADD, "-q", "--", path, NULL};
	pid_t pid;
	int status;
	struct mm_spawn s = {.argv = argv, .env = env, .fds = {0, 2, 2}, .n_fds = 3, .same_session = true};
	if (mm_spawn(&s, &pid, err) < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return mm_err_sys(err, MM_EX_FAILED, "ssh-add");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return mm_err_set(err, MM_EX_NOPERM,
		    "%s could not be opened: wrong passphrase, or no terminal to ask for it (then load it "
		    "into an ssh-agent)",
		    path);
	return 0;
}

static int by_private_agent(struct mm_identity *id, const char *path, struct mm_err *err)
{
	if (start_agent(id, err) < 0 || run_add(id, path, err) < 0)
		return -1;
	return take_agent_keys(id, id->agent, err);
}

/* ---- loading */

static int take_seed(struct mm_identity *id, const char *path, unsigned char seed[32],
    const struct mm_sshkey *pub, struct mm_err *err)
{
	id->seed = mm_secret_new();
	int rc = mm_secret_set(id->seed, seed, 32, err);
	explicit_bzero(seed, 32);
	id->keys = mm_arena_alloc(id->arena, 1, sizeof(*pub));
	*id->keys = *pub;
	id->n_keys = 1;
	id->file = mm_arena_strdup(id->arena, path);
	return rc;
}

static int load_file(struct mm_identity *id, const char *path, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	unsigned char seed[32];
	struct mm_sshkey pub;
	/* Room at once: growing would leave pieces of the key in freed memory. */
	static const char room[FILE_MAX];
	mm_buf_add(&text, room, sizeof(room));
	mm_buf_reset(&text);
	int rc = mm_file_read_own(path, FILE_MAX, true, &text, err);
	if (rc == 0 && (rc = mm_identity_parse(mm_buf_str(&text), text.len, seed, id->arena, &pub, err)) < 0)
		mm_err_prefix(err, "%s", path);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	mm_buf_free(&text);
	if (rc == 0)
		return take_seed(id, path, seed, &pub, err);
	if (rc < 0 || agent_has(id, path))
		return rc < 0 ? -1 : 0;
	return by_private_agent(id, path, err);
}

int mm_identity_load(const char *path, struct mm_identity **out, struct mm_err *err)
{
	struct mm_identity *id = mm_xcalloc(1, sizeof(*id));
	*id = (struct mm_identity){.arena = mm_arena_new(), .file = "", .agent = "", .pid = -1, .keep = -1};
	const char *socket = getenv("SSH_AUTH_SOCK");
	int rc;
	if (path != NULL)
		rc = load_file(id, path, err);
	else if (socket == NULL || *socket == '\0')
		rc = mm_err_set(
		    err, MM_EX_FAILED, "no SSH key: neither a file was given nor is there an ssh-agent");
	else
		rc = take_agent_keys(id, socket, err);
	if (rc < 0) {
		mm_identity_free(id);
		return -1;
	}
	*out = id;
	return 0;
}

void mm_identity_free(struct mm_identity *id)
{
	if (id == NULL)
		return;
	if (id->keep >= 0)
		close(id->keep);
	if (id->pid > 0)
		(void)mm_spawn_kill(id->pid);
	if (id->dir != NULL) {
		(void)unlink(mm_arena_printf(id->arena, "%s/agent", id->dir));
		(void)rmdir(id->dir);
		free(id->dir);
	}
	mm_secret_free(id->seed);
	mm_arena_free(id->arena);
	free(id);
}

const struct mm_sshkey *mm_identity_keys(const struct mm_identity *id, size_t *n)
{
	*n = id->n_keys;
	return id->keys;
}

const unsigned char *mm_identity_seed(const struct mm_identity *id)
{
	return id->seed != NULL ? (const unsigned char *)mm_secret_bytes(id->seed) : NULL;
}

const char *mm_identity_file(const struct mm_identity *id)
{
	return id->file;
}

const char *mm_identity_agent(const struct mm_identity *id)
{
	return id->agent;
}
