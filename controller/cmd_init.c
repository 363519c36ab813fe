/* mailmuster init: state folder, signing key, SSH key, store. What is there
 * is kept, so that an init that was interrupted can be run again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/json.h"
#include "common/proc.h"
#include "common/text.h"
#include "controller/signkey.h"
#include "schemas/signing.h"

struct init {
	struct mm_ctl *c;
	char *keys, *sign, *ssh, *ssh_pub, *db;
	bool made_sign, made_ssh, made_store;
	bool apart; /* the store knows a signing key that is not here: it lies apart */
	char key_id[MM_SHA256_HEX];
	int64_t epoch;
};

static int check_private(const char *path, struct mm_err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return mm_err_set(err, MM_EX_NOPERM, "%s: has to be a folder of uid %lld with mode 0700",
		    path, (long long)geteuid());
	return 0;
}

static int make_folders(struct init *in, struct mm_err *err)
{
	if (mm_mkdirs(in->c->state, 0700, err) || check_private(in->c->state, err) ||
	    mm_mkdirs(in->keys, 0700, err))
		return -1;
	return check_private(in->keys, err);
}

#define NEW_KEY ".new-" /* a key that is not complete yet */

/* What interrupted runs left. A ssh-keygen that has survived its parent may
 * still write one; nobody will ever use it. */
static void sweep(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (mm_starts_with(e->d_name, NEW_KEY))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static const char *new_name(const struct init *in, struct mm_arena *a)
{
	char id[MM_ID_LEN];

	mm_random_id(id);
	return mm_arena_printf(a, "%s/" NEW_KEY "%s", in->keys, id);
}

static int keygen(const char *path, struct mm_err *err)
{
	const char *argv[] = {
	    "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mailmuster", "-f", path, NULL};
	const struct mm_run run = {.argv = argv, .timeout_ms = 30000};
	struct mm_buf out = MM_BUF_INIT(4096), errors = MM_BUF_INIT(4096);
	struct mm_run_result res;
	int rc = mm_run(&run, &out, &errors, &res, err);

	if (!rc && (res.how != MM_RUN_EXITED || res.status != 0))
		rc = mm_err_set(
		    err, MM_EX_FAILED, "ssh-keygen did not make %s: %s", path, mm_buf_str(&errors));
	mm_buf_free(&out);
	mm_buf_free(&errors);
	return rc;
}

/* The public half gets its name first: where the private key is, both are. */
static int ssh_key(struct init *in, struct mm_arena *a, struct mm_err *err)
{
	const char *fresh, *fresh_pub;

	if (access(in->ssh, F_OK) == 0)
		return 0;
	fresh = new_name(in, a);
	fresh_pub = mm_arena_printf(a, "%s.pub", fresh);
	if (keygen(fresh, err))
		return -1;
	if (rename(fresh_pub, in->ssh_pub) || rename(fresh, in->ssh))
		return mm_err_sys(err, MM_EX_FAILED, "%s", in->ssh);
	in->made_ssh = true;
	return 0;
}

/* Under another name first: a key that was only half written must not be
 * taken for one. */
static int make_signing_key(struct init *in, struct mm_arena *a, struct mm_key **key, struct mm_err *err)
{
	const char *fresh = new_name(in, a);

	if (mm_key_generate(key, err))
		return -1;
	if (mm_key_save_private(*key, fresh, err) == 0) {
		if (rename(fresh, in->sign) == 0) {
			in->made_sign = true;
			return 0;
		}
		mm_err_sys(err, MM_EX_FAILED, "%s", in->sign);
	}
	mm_key_free(*key);
	*key = NULL;
	return -1;
}

static int open_store(struct init *in, struct mm_err *err)
{
	if (access(in->db, F_OK) == 0)
		return mm_ctl_open(in->c, err);
	if (mm_store_create(in->db, &in->c->store, err))
		return -1;
	mm_store_set_who(in->c->store, in->c->who);
	in->made_store = true;
	return mm_store_audit(in->c->store, "init", in->c->state, NULL, false, err);
}

static int register_key(struct init *in, const struct mm_key *key, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(4096);
	int rc = mm_key_public_pem(key, &pem, err);

	if (!rc)
		rc = mm_store_key_add(in->c->store, mm_key_id(key), mm_buf_str(&pem), &in->epoch, err);
	snprintf(in->key_id, sizeof(in->key_id), "%s", mm_key_id(key));
	mm_buf_free(&pem);
	return rc;
}

/* The store says which key is in use; only when it knows none is one made, or
 * the one of an interrupted init taken. */
static int signing_key(struct init *in, struct mm_arena *a, struct mm_err *err)
{
	struct mm_store_key known = {.epoch = 0};
	struct mm_key *key = NULL;
	bool here;
	int rc = mm_store_key_current(in->c->store, a, &known, err);

	if (rc < 0)
		return -1;
	/* A rotation that was killed: the key has its name yet to get. */
	if (rc == 0 && mm_signkey_settle(in->c, known.id, err))
		return -1;
	here = access(in->sign, F_OK) == 0;
	in->epoch = known.epoch;
	in->apart = rc == 0 && !here;
	if (rc == 0)
		snprintf(in->key_id, sizeof(in->key_id), "%s", known.id);
	if (in->apart)
		return 0;
	if (here ? mm_key_load_private(in->sign, &key, err) : make_signing_key(in, a, &key, err))
		return -1;
	if (rc == 1)
		rc = register_key(in, key, err);
	else if (strcmp(known.id, mm_key_id(key)) != 0)
		rc = mm_err_set(err, MM_EX_FAILED, "%s is not the key of epoch %lld that the store knows",
		    in->sign, (long long)known.epoch);
	mm_key_free(key);
	return rc;
}

static int do_all(struct init *in, struct mm_err *err)
{
	char *lock_path;
	struct mm_arena *a;
	int lock, rc;

	if (make_folders(in, err))
		return -1;
	lock_path = mm_ctl_path(in->c, "init.lock");
	lock = mm_lock_file(lock_path, 10000, err);
	free(lock_path);
	if (lock < 0)
		return -1;
	sweep(in->keys);
	a = mm_arena_new();
	rc = ssh_key(in, a, err) || open_store(in, err) || signing_key(in, a, err) ? -1 : 0;
	mm_arena_free(a);
	close(lock);
	return rc;
}

static void say(const struct init *in, bool json)
{
	if (json) {
		json_t *o = json_object();

		mm_json_set_str(o, "state", in->c->state);
		mm_json_set_str(o, "key_id", in->key_id);
		mm_json_set_int(o, "epoch", in->epoch);
		mm_json_set_str(o, "ssh_key", in->ssh);
		mm_json_set_bool(o, "created", in->made_store);
		mm_ctl_json(o);
		return;
	}
	printf("state folder   %s\n", in->c->state);
	printf("store          %s %s\n", in->db, in->made_store ? "created" : "kept");
	printf("signing key    %s %s, id %.16s, epoch %lld\n", in->sign,
	    in->made_sign ? "created"
	    : in->apart   ? "is not here: it lies apart"
			  : "kept",
	    in->key_id, (long long)in->epoch);
	printf("SSH key        %s %s; its public half is %s\n", in->ssh, in->made_ssh ? "created" : "kept",
	    in->ssh_pub);
	if (in->made_store)
		printf("Next: mailmuster policy import FILE, user import FILE, host import FILE, host enroll "
		       "HOST\n");
}

static int run(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "init",
	    .operands = "",
	    .about = "Make the state folder with an empty store, a signing key and an SSH key.\n"
		     "What is there already is kept.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct init in = {.c = c};
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	in.keys = mm_ctl_path(c, "keys");
	in.sign = mm_ctl_path(c, MM_SIGNKEY);
	in.ssh = mm_ctl_path(c, "keys/ssh");
	in.ssh_pub = mm_ctl_path(c, "keys/ssh.pub");
	in.db = mm_ctl_path(c, "store.db");
	rc = do_all(&in, &err) ? mm_ctl_fail("init", &err) : MM_EX_OK;
	if (rc == MM_EX_OK)
		say(&in, json);
	free(in.keys);
	free(in.sign);
	free(in.ssh);
	free(in.ssh_pub);
	free(in.db);
	return rc;
}

const struct mm_cmd mm_cmd_init = {"init", "", "make the state folder, store and keys", run};
