#include "store_fixture.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

int store_setup(void **state)
{
	struct fixture *f = mm_xcalloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/mm-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
	ok(f, mm_store_create(f->path, &f->s, &f->err));
	mm_store_set_now(f->s, T0);
	mm_store_set_who(f->s, "tester (uid 1)");
	f->a = mm_arena_new();
	*state = f;
	return 0;
}

int store_teardown(void **state)
{
	struct fixture *f = *state;
	DIR *d;

	mm_store_close(f->s);
	mm_arena_free(f->a);
	d = opendir(f->dir);
	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(f->dir);
	free(f);
	return 0;
}

void add_user(struct fixture *f, const char *login, const char *address, const char *group)
{
	const char *groups[] = {group};
	struct mm_store_user u = {
	    .login = login, .name = "Name", .address = address, .groups = groups, .n_groups = group ? 1 : 0};
	enum mm_put done;

	ok(f, mm_store_user_put(f->s, &u, true, &done, &f->err));
}

void add_host(struct fixture *f, const char *id, const char *user)
{
	const char *users[] = {user};
	struct mm_store_host h = {.id = id,
	    .address = "",
	    .port = 22,
	    .account = "root",
	    .transport = "libssh2",
	    .all_users = !user,
	    .users = users,
	    .n_users = user ? 1 : 0};
	enum mm_put done;

	ok(f, mm_store_host_put(f->s, &h, &done, &f->err));
}

int64_t add_revision(struct fixture *f, const char *text, int64_t uid, int64_t approvals)
{
	struct mm_revision r = {.text = text,
	    .len = strlen(text),
	    .author = "author",
	    .author_uid = uid,
	    .message = "",
	    .source = "p.conf",
	    .approvals = approvals};
	int64_t n = 0;
	bool kept = false;

	ok(f, mm_store_revision_add(f->s, &r, "policy.import", &n, &kept, &f->err));
	assert_false(kept);
	return n;
}

static int count_one(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	(void)e;
	(void)err;
	++*(int64_t *)arg;
	return 0;
}

int64_t count_audit(struct fixture *f)
{
	int64_t n = 0;

	ok(f, mm_store_audit_each(f->s, 0, count_one, &n, &f->err));
	return n;
}

void make_report(struct made *m, const char *id, const char *user)
{
	*m = (struct made){.head = {.id = id,
			       .host = "ws1",
			       .request_id = "req",
			       .op = "apply",
			       .epoch = 1,
			       .serial = 1,
			       .revision = 1,
			       .collected = T0,
			       .agent = "0.1.0"}};
	m->users[0] = user;
	m->head.users = m->users;
	m->in = (struct mm_report_in){.head = &m->head, .findings = m->f, .logins = m->l, .direct = true};
}

struct mm_finding *add_finding(
    struct made *m, const char *user, const char *setting, enum mm_state state, const char *found)
{
	struct mm_finding *f = &m->f[m->in.n_findings++];

	*f = (struct mm_finding){.user = user,
	    .client = "mutt",
	    .path = "/home/u/.muttrc",
	    .account = "work",
	    .setting = setting,
	    .desired = "right",
	    .found = found,
	    .line = 3,
	    .state = state,
	    .action = state == MM_ST_COMPLIANT ? MM_ACT_NONE : MM_ACT_REPORTED,
	    .reason = ""};
	return f;
}

struct mm_login *add_login(struct made *m, const char *user, enum mm_result result, const char *cls)
{
	struct mm_login *l = &m->l[m->in.n_logins++];

	*l = (struct mm_login){.user = user,
	    .account = "work",
	    .side = "incoming",
	    .protocol = "imap",
	    .host = "imap.acme.example",
	    .security = "tls",
	    .auth = "password",
	    .username = user,
	    .port = 993,
	    .level = MM_LEVEL_LOGIN,
	    .reached = MM_LEVEL_LOGIN,
	    .any = true,
	    .result = result,
	    .cls = cls,
	    .text = "",
	    .admin = "",
	    .tls = {.version = "TLSv1.3"},
	    .timing = {.dns = 1, .tcp = 2, .tls = 3, .greeting = 4, .login = 5},
	    .when = T0};
	return l;
}

bool store_report(struct fixture *f, struct made *m)
{
	bool fresh = false;

	ok(f, mm_store_report(f->s, &m->in, &fresh, &f->err));
	return fresh;
}

int people_setup(void **state)
{
	struct fixture *f;

	store_setup(state);
	f = *state;
	add_user(f, "alice", "alice@acme.example", "staff");
	add_user(f, "bob", "bob@acme.example", NULL);
	add_host(f, "ws1", NULL);
	return 0;
}
