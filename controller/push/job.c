#include "controller/push/job.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/push/sshcmd.h"
#include "schemas/settings.h"

static bool is_literal(const char *address)
{
	unsigned char a[16];
	return inet_pton(AF_INET, address, a) == 1 || inet_pton(AF_INET6, address, a) == 1;
}

/* Only names and addresses reach a command line or a name service. */
static bool check(const struct mm_push_job *p, struct mm_outcome *why)
{
	if (!mm_is_hostname(p->address) || p->address[0] == '-')
		mm_outcome_set(why, MM_PC_LOCAL, "\"%s\" is no address", p->address);
	else if (!mm_is_login(p->login))
		mm_outcome_set(why, MM_PC_LOCAL, "\"%s\" is no account name", p->login);
	else if (p->port < 1 || p->port > 65535)
		mm_outcome_set(why, MM_PC_LOCAL, "%d is no port", p->port);
	else if (p->n_keys > MM_SSHKEYS_MAX)
		mm_outcome_set(why, MM_PC_LOCAL, "more than %d host keys are pinned", MM_SSHKEYS_MAX);
	else if (p->n_keys == 0 && (p->by_ssh || p->proxy_command != NULL))
		mm_outcome_set(why, MM_PC_HOSTKEY_UNKNOWN, "no host key is pinned for this host: enrol it");
	else
		return true;
	return false;
}

struct mm_job *mm_job_new(const struct mm_push_job *pub, struct mm_outcome *why)
{
	*why = MM_OUTCOME_NONE;
	why->early = true;
	if (!check(pub, why))
		return NULL;
	struct mm_arena *a = mm_arena_new();
	struct mm_job *j = mm_arena_alloc(a, 1, sizeof(*j));
	struct mm_sshkey *keys = mm_arena_alloc(a, pub->n_keys + 1, sizeof(*keys));
	for (size_t i = 0; i < pub->n_keys; i++)
		(void)mm_sshkey_from_blob(pub->keys[i].blob, pub->keys[i].len, a, &keys[i], NULL);
	*j = (struct mm_job){.arena = a, .pub = *pub};
	j->pub.host = mm_arena_strdup(a, pub->host);
	j->pub.address = mm_arena_strdup(a, pub->address);
	j->pub.login = mm_arena_strdup(a, pub->login);
	j->pub.proxy_command = mm_arena_strdup(a, pub->proxy_command);
	j->pub.keys = keys;
	j->by_ssh = pub->by_ssh || pub->proxy_command != NULL;
	j->literal = is_literal(pub->address);
	if (j->literal)
		j->addresses = j->pub.address;
	mm_answer_init(&j->answer);
	return j;
}

void mm_job_free(struct mm_job *j)
{
	if (j == NULL)
		return;
	if (j->known_hosts != NULL)
		(void)unlink(j->known_hosts);
	mm_answer_free(&j->answer);
	mm_arena_free(j->arena);
}

void mm_job_reset(struct mm_job *j)
{
	mm_answer_free(&j->answer);
	mm_answer_init(&j->answer);
	j->received = 0;
	j->live = false;
	j->worker = NULL;
	j->state = MM_JOB_WAITING;
}

void mm_job_decide(struct mm_job *j, enum mm_push_class c, const char *fmt, ...)
{
	if (j->decided)
		return;
	char text[MM_OUTCOME_TEXT];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	j->verdict = c;
	j->why = mm_arena_strdup(j->arena, text);
	j->decided = true;
}

struct mm_outcome mm_job_outcome(const struct mm_job *j, const struct mm_outcome *from_worker)
{
	struct mm_outcome o = *from_worker;
	const struct mm_answer *a = &j->answer;
	o.by_ssh = j->by_ssh;
	if (j->decided) {
		mm_outcome_set(&o, j->verdict, "%s", j->why);
	} else if (a->state == MM_ANSWER_COMPLETE) {
		mm_outcome_set(&o, MM_PC_OK, "%s", "");
	} else if (a->state == MM_ANSWER_REFUSED) {
		mm_outcome_set(
		    &o, MM_PC_REFUSED, "the agent refused (%s): %s", a->refused_reason, a->refused_text);
		o.code = a->refused_code;
		o.seen_epoch = a->refused_epoch;
		o.seen_serial = a->refused_serial;
		(void)snprintf(o.reason, sizeof(o.reason), "%s", a->refused_reason);
	} else if (o.cls == MM_PC_NO_END && !a->in.started && (a->in.noise > 0 || a->in.in.len > 0)) {
		size_t n = a->in.in.len < 80 ? a->in.in.len : 80;
		mm_outcome_set(&o, MM_PC_NO_END,
		    "the host answered with other words than mailmuster-agent's (exit %d): \"%.*s\"", o.code,
		    (int)n, mm_buf_str(&a->in.in));
	}
	return o;
}

int mm_job_write_known_hosts(struct mm_job *j, const char *dir, struct mm_err *err)
{
	if (j->known_hosts != NULL)
		return 0;
	struct mm_buf b = MM_BUF_INIT((size_t)MM_SSHKEYS_MAX * 2 * MM_SSHKEY_BLOB_MAX);
	for (size_t i = 0; i < j->pub.n_keys; i++) {
		mm_buf_adds(&b, MM_HOSTKEY_ALIAS " ");
		mm_sshkey_text(&j->pub.keys[i], &b);
		mm_buf_addc(&b, '\n');
	}
	const char *path = mm_arena_printf(j->arena, "%s/known_hosts.%u", dir, j->slot);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc =
	    fd < 0 ? mm_err_sys(err, MM_EX_FAILED, "%s", path) : mm_write_all(fd, mm_buf_str(&b), b.len, err);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		j->known_hosts = path;
	mm_buf_free(&b);
	return rc;
}
