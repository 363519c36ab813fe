/* Every profile against a table of deeds. Each deed is also tried without a
 * sandbox, where it must succeed: else its refusal would prove nothing. */
#include "common/sandbox.h"

#include <arpa/inet.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/digest.h"
#include "common/json.h"
#include "tests/lib/testutil.h"
#include "tests/unit/sandbox_tls.h"

static struct mm_test_dir dir;
static char unlisted[200], listed[200], scratch[200];

/* ---- deeds: 0, or -1 with errno */

static int compute(void)
{
	struct mm_err e;
	char hex[MM_SHA256_HEX], id[MM_ID_LEN];
	char *big = malloc(8 << 20);
	memset(big, 1, 8 << 20);
	mm_sha256_hex(big, 8 << 20, hex);
	mm_random_id(id);
	free(big);
	json_t *j = mm_json_load("x", "{\"a\":[1,2,{\"b\":1.5}]}", 21, &e);
	json_decref(j);
	return j != NULL ? 0 : -1;
}

static int use_pipe(void)
{
	/* The ends were opened before: see in_profile(). */
	char c = 0;
	return write(9, "x", 1) == 1 && read(8, &c, 1) == 1 && c == 'x' ? 0 : -1;
}

static int open_as(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : -1;
}

static int read_listed(void)
{
	return open_as(listed, O_RDONLY);
}

static int read_unlisted(void)
{
	return open_as(unlisted, O_RDONLY);
}

static int read_hosts(void)
{
	return open_as("/etc/hosts", O_RDONLY);
}

static int write_listed(void)
{
	return open_as(listed, O_WRONLY);
}

static int write_both(void)
{
	return open_as(unlisted, O_RDWR);
}

static int make_file(void)
{
	return open_as(scratch, O_WRONLY | O_CREAT | O_EXCL);
}

static int cut_file(void)
{
	return open_as(unlisted, O_RDONLY | O_TRUNC);
}

static int nameless_file(void)
{
	return open_as(dir.path, O_RDWR | O_TMPFILE);
}

static int write_null(void)
{
	return open_as("/dev/null", O_RDWR);
}

static int make_folder(void)
{
	return mkdir(scratch, 0700);
}

static int remove_file(void)
{
	return unlink(unlisted);
}

static int rename_file(void)
{
	return rename(unlisted, scratch);
}

static int change_mode(void)
{
	return chmod(unlisted, 0600);
}

static int exec(void)
{
	char program[] = "/bin/true";
	char *argv[] = {program, NULL};
	char *env[] = {NULL};
	return execve(program, argv, env);
}

static int fork_child(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static void *nothing(void *arg)
{
	return arg;
}

static int make_thread(void)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, nothing, NULL);
	errno = rc;
	return rc == 0 && pthread_join(t, NULL) == 0 ? 0 : -1;
}

static int open_socket(int family, int type, int protocol)
{
	int s = socket(family, type | SOCK_CLOEXEC, protocol);
	if (s >= 0)
		close(s);
	return s >= 0 ? 0 : -1;
}

static int inet_socket(void)
{
	return open_socket(AF_INET, SOCK_STREAM, 0);
}

static int unix_socket(void)
{
	return open_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int route_socket(void)
{
	return open_socket(AF_NETLINK, SOCK_RAW, 0);
}

static int audit_socket(void)
{
	return open_socket(AF_NETLINK, SOCK_RAW, 9);
}

static int listen_socket(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return s >= 0 && bind(s, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(s, 1) == 0 ? 0 : -1;
}

static int resolve_name(void)
{
	const struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	if (getaddrinfo("localhost", "imaps", &hints, &list) != 0)
		return -1;
	freeaddrinfo(list);
	return 0;
}

static int signal_other(void)
{
	return kill(getppid(), 0);
}

static volatile sig_atomic_t signalled;

static void on_signal(int sig)
{
	signalled = sig;
}

static int signal_self(void)
{
	signal(SIGUSR1, on_signal);
	return raise(SIGUSR1) == 0 && signalled == SIGUSR1 ? 0 : -1;
}

static int trace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : -1;
}

static int raise_limit(void)
{
	const struct rlimit r = {.rlim_cur = 0, .rlim_max = 0};
	return setrlimit(RLIMIT_CORE, &r);
}

static int change_root(void)
{
	return chroot(dir.path);
}

/* ---- the table */

enum outcome { OK, NO, KILLED };
enum { BARE, COMPUTE, PROBE, WORKER, TRANSPORT, PROFILES };

static const char *const profile_names[] = {"none", "compute", "probe", "worker", "worker with exec"};

struct deed {
	const char *name;
	int (*run)(void);
	enum outcome want[PROFILES];
	bool root; /* needs root without a sandbox */
};

static const struct deed deeds[] = {
    {"compute", compute, {OK, OK, OK, OK, OK}, false},
    {"use open descriptors", use_pipe, {OK, OK, OK, OK, OK}, false},
    {"read a listed file", read_listed, {OK, NO, OK, OK, OK}, false},
    {"read an unlisted file", read_unlisted, {OK, NO, NO, OK, OK}, false},
    {"read /etc/hosts", read_hosts, {OK, NO, OK, OK, OK}, false},
    {"write to a listed file", write_listed, {OK, NO, NO, NO, NO}, false},
    {"open for reading and writing", write_both, {OK, NO, NO, NO, NO}, false},
    {"make a file", make_file, {OK, NO, NO, NO, NO}, false},
    {"cut a file", cut_file, {OK, NO, NO, NO, NO}, false},
    {"make a nameless file", nameless_file, {OK, NO, NO, NO, NO}, false},
    {"write to /dev/null", write_null, {OK, NO, NO, NO, OK}, false},
    {"make a folder", make_folder, {OK, NO, NO, NO, NO}, false},
    {"remove a file", remove_file, {OK, KILLED, KILLED, KILLED, NO}, false},
    {"rename a file", rename_file, {OK, KILLED, KILLED, KILLED, NO}, false},
    {"change a mode", change_mode, {OK, KILLED, KILLED, KILLED, OK}, false},
    {"exec", exec, {OK, KILLED, KILLED, KILLED, OK}, false},
    {"fork", fork_child, {OK, KILLED, NO, NO, OK}, false},
    {"make a thread", make_thread, {OK, KILLED, OK, OK, OK}, false},
    {"open an inet socket", inet_socket, {OK, KILLED, OK, OK, OK}, false},
    {"open a unix socket", unix_socket, {OK, KILLED, OK, OK, OK}, false},
    {"open a route socket", route_socket, {OK, KILLED, OK, OK, OK}, false},
    {"open an audit socket", audit_socket, {OK, KILLED, NO, NO, OK}, true},
    {"listen", listen_socket, {OK, KILLED, NO, NO, OK}, false},
    {"resolve a name", resolve_name, {OK, KILLED, OK, OK, OK}, false},
    {"signal another process", signal_other, {OK, KILLED, NO, NO, OK}, false},
    {"signal itself", signal_self, {OK, OK, OK, OK, OK}, false},
    {"be traced", trace, {OK, KILLED, KILLED, KILLED, NO}, false},
    {"make code", make_code, {OK, KILLED, OK, OK, OK}, false},
    {"set a limit", raise_limit, {OK, KILLED, NO, NO, OK}, false},
    {"change the root", change_root, {OK, KILLED, KILLED, KILLED, NO}, true},
};

static void prepare_files(void)
{
	snprintf(unlisted, sizeof(unlisted), "%s/unlisted", dir.path);
	snprintf(listed, sizeof(listed), "%s/listed", dir.path);
	snprintf(scratch, sizeof(scratch), "%s/scratch", dir.path);
	unlink(scratch);
	rmdir(scratch);
	mm_test_write_str(unlisted, "x");
	mm_test_write_str(listed, "x");
}

static int enter(int profile, struct mm_err *e)
{
	const char *const paths[] = {listed, "/no/such/folder", NULL};
	const struct mm_sandbox_opts probe = {.read_paths = paths}, worker = {.read_paths = NULL},
				     transport = {.allow_exec = true};
	switch (profile) {
	case COMPUTE:
		return mm_sandbox_enter(MM_SANDBOX_COMPUTE, NULL, e);
	case PROBE:
		return mm_sandbox_enter(MM_SANDBOX_PROBE, &probe, e);
	case WORKER:
		return mm_sandbox_enter(MM_SANDBOX_WORKER, &worker, e);
	case TRANSPORT:
		return mm_sandbox_enter(MM_SANDBOX_WORKER, &transport, e);
	default:
		return 0;
	}
}

static enum outcome in_profile(int profile, int (*deed)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int p[2];
		struct mm_err e = MM_ERR_NONE;
		if (pipe(p) < 0 || dup2(p[0], 8) < 0 || dup2(p[1], 9) < 0)
			_exit(8);
		if (enter(profile, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			_exit(9);
		}
		_exit(deed() == 0 ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return KILLED;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		fail_msg("%s: status %d", profile_names[profile], status);
	return WEXITSTATUS(status) == 0 ? OK : NO;
}

static bool has_landlock(void)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1)
		return true;
	print_message("skipped in part: this kernel has no Landlock\n");
	return false;
}

/* Which file is opened, and all of what a transport may do, is Landlock's business. */
static bool needs_landlock(const struct deed *d, int profile)
{
	return profile == TRANSPORT || (profile == PROBE && d->run == read_unlisted);
}

static void test_deeds(void **state)
{
	(void)state;
	static const char *const words[] = {"done", "refused", "killed"};
	bool landlock = has_landlock();
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		const struct deed *d = &deeds[i];
		for (int profile = BARE; profile < PROFILES; profile++) {
			if (d->root && geteuid() != 0)
				continue;
			if (!landlock && needs_landlock(d, profile))
				continue;
			prepare_files();
			enum outcome got = in_profile(profile, d->run);
			if (got != d->want[profile])
				fail_msg("%s, sandbox %s: %s, and not %s", d->name, profile_names[profile],
				    words[got], words[d->want[profile]]);
		}
	}
}

/* A worker that is given a list reads nothing else. */
static int read_in_listed_worker(void)
{
	const char *const paths[] = {listed, NULL};
	const struct mm_sandbox_opts o = {.read_paths = paths};
	if (mm_sandbox_enter(MM_SANDBOX_WORKER, &o, NULL) < 0)
		return -1;
	return read_listed() == 0 && read_unlisted() < 0 && errno == EACCES ? 0 : -1;
}

static void test_worker_with_a_list(void **state)
{
	(void)state;
	if (!has_landlock())
		return;
	prepare_files();
	assert_int_equal(in_profile(BARE, read_in_listed_worker), OK);
}

/* One that edits files: below what it is given, and nothing else. */
static int edit_listed(void)
{
	const char *const paths[] = {dir.path, NULL};
	const struct mm_sandbox_opts o = {.write_paths = paths};
	if (mm_sandbox_enter(MM_SANDBOX_FILES, &o, NULL) < 0)
		return -1;
	bool done = make_file() == 0 && unlink(scratch) == 0 && write_listed() == 0 && rename_file() == 0;
	return done && open_as("/etc/hosts", O_RDONLY) == 0 ? 0 : -1;
}

static int edit_elsewhere(void)
{
	char folder[256];
	snprintf(folder, sizeof(folder), "%s/sub", dir.path);
	mkdir(folder, 0700);
	const char *const paths[] = {folder, NULL};
	const struct mm_sandbox_opts o = {.write_paths = paths};
	if (mm_sandbox_enter(MM_SANDBOX_FILES, &o, NULL) < 0)
		return -1;
	return make_file() < 0 && remove_file() < 0 && write_listed() < 0 && cut_file() < 0 ? 0 : -1;
}

static int reach_out(void)
{
	if (mm_sandbox_enter(MM_SANDBOX_FILES, NULL, NULL) < 0)
		return -1;
	bool none = exec() < 0 && inet_socket() < 0 && unix_socket() < 0 && signal_other() < 0 &&
		    change_root() < 0 && fork() < 0;
	return none ? 0 : -1;
}

/* Root without capabilities is the owner of its files, and no more. */
static int act_as_root(void)
{
	const char *const paths[] = {dir.path, NULL};
	const struct mm_sandbox_opts o = {.write_paths = paths};
	if (chown(listed, 12345, 12345) != 0 || chmod(listed, 0600) != 0)
		return -1;
	if (mm_sandbox_enter(MM_SANDBOX_FILES, &o, NULL) < 0)
		return -1;
	return read_listed() < 0 && write_listed() < 0 && chown(unlisted, 12345, 12345) < 0 ? 0 : -1;
}

static void test_editing_files(void **state)
{
	(void)state;
	prepare_files();
	assert_int_equal(in_profile(BARE, edit_listed), OK);
	prepare_files();
	assert_int_equal(in_profile(BARE, reach_out), OK);
	if (geteuid() == 0)
		assert_int_equal(in_profile(BARE, act_as_root), OK);
	unlink(listed);
	prepare_files();
	if (has_landlock())
		assert_int_equal(in_profile(BARE, edit_elsewhere), OK);
}

/* What the system's ssh does at its start is possible for a transport. */
static int run_ssh(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, STDERR_FILENO);
		execl("/usr/bin/ssh", "ssh", "-V", (char *)NULL);
		_exit(errno == ENOENT ? 0 : 127);
	}
	int status = 0;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static void test_transport_runs_ssh(void **state)
{
	(void)state;
	prepare_files();
	assert_int_equal(in_profile(TRANSPORT, run_ssh), OK);
}

/* ---- TLS with libcurl, as the probe does it */

static struct mm_tls_server server;
static const char *ca_path;

static int login_over_tls(void)
{
	return mm_tls_client(&server, ca_path);
}

static void test_curl_in_the_probe(void **state)
{
	(void)state;
	prepare_files();
	mm_tls_server_start(&server, listed);
	ca_path = listed;
	assert_int_equal(in_profile(BARE, login_over_tls), OK);
	assert_int_equal(in_profile(PROBE, login_over_tls), OK);
	assert_int_equal(in_profile(WORKER, login_over_tls), OK);
	/* The same authority's certificate, at a place that is not listed. */
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_tls_read(listed, &b);
	mm_test_write(unlisted, b.data, b.len, 0600);
	mm_buf_free(&b);
	ca_path = unlisted;
	assert_int_equal(in_profile(BARE, login_over_tls), OK);
	if (has_landlock())
		assert_int_equal(in_profile(PROBE, login_over_tls), NO);
	mm_tls_server_stop(&server);
}

static void test_sanitizer_build_has_none(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	assert_false(mm_sandbox_available());
	for (int i = 0; i < MM_SANDBOX_COUNT; i++)
		assert_int_equal(mm_sandbox_enter((enum mm_sandbox)i, NULL, &e), 0);
	/* Nothing was closed to us. */
	assert_int_equal(read_hosts(), 0);
	print_message("the rest is skipped: a sanitizer's own calls do not fit into a sandbox\n");
}

int main(void)
{
	static const struct CMUnitTest without[] = {MM_TEST(test_sanitizer_build_has_none)};
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_deeds),
	    MM_TEST(test_worker_with_a_list),
	    MM_TEST(test_editing_files),
	    MM_TEST(test_transport_runs_ssh),
	    MM_TEST(test_curl_in_the_probe),
	};
	if (!mm_sandbox_available())
		return cmocka_run_group_tests(without, NULL, NULL);
	dir = mm_test_mkdir();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	mm_test_rmdir(&dir);
	return failed;
}
