#include "agent/probe/discover_ask.h"

#include <arpa/nameser.h>
#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>

#define DNS_SECONDS 2 /* for each try; there are two for each name server */
#define DNS_TRIES 2
#define REDIRECTS 3
#define QUESTIONS (MM_SRV_SERVICES + MM_ASK_FILES)
#define STACK_BYTES (512u * 1024u)

struct question {
	struct mm_ask_srv *srv; /* one of the two */
	struct mm_ask_file *file;
	char name[512];
	const char *ca_file;
	int family;
};

/* ---- SRV */

static void ask_srv(const struct question *q)
{
	struct __res_state state;
	memset(&state, 0, sizeof(state));
	q->srv->code = TRY_AGAIN;
	if (res_ninit(&state) != 0)
		return;
	state.retrans = DNS_SECONDS;
	state.retry = DNS_TRIES;
	q->srv->answer = mm_xcalloc(MM_SRV_ANSWER_MAX, 1);
	int n = res_nquery(&state, q->name, ns_c_in, ns_t_srv, q->srv->answer, MM_SRV_ANSWER_MAX);
	q->srv->code = n > 0 ? 0 : state.res_h_errno;
	q->srv->n = n > 0 && n <= MM_SRV_ANSWER_MAX ? (size_t)n : 0;
	res_nclose(&state);
}

/* ---- https */

/* Less than all of it taken: libcurl breaks off. */
static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct mm_ask_file *f = ctx;
	(void)size;
	if (f->n + n > MM_AUTOCONFIG_MAX)
		return 0;
	f->body = mm_xrealloc(f->body, f->n + n, 1);
	memcpy(f->body + f->n, p, n);
	f->n += n;
	return n;
}

#define SET(option, value)                                                                                   \
	do {                                                                                                 \
		CURLcode rc_ = curl_easy_setopt(easy, (option), (value));                                    \
		if (rc_ != CURLE_OK)                                                                         \
			return rc_;                                                                          \
	} while (0)

static CURLcode set_all(CURL *easy, const struct question *q, char *error)
{
	SET(CURLOPT_URL, q->file->url);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)REDIRECTS);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)MM_ASK_HTTPS_MS);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)MM_ASK_HTTPS_MS / 2);
	SET(CURLOPT_MAXFILESIZE, (long)MM_AUTOCONFIG_MAX);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CAPATH, NULL);
	if (q->ca_file != NULL)
		SET(CURLOPT_CAINFO, q->ca_file);
	SET(CURLOPT_IPRESOLVE, q->family == AF_INET    ? (long)CURL_IPRESOLVE_V4
			       : q->family == AF_INET6 ? (long)CURL_IPRESOLVE_V6
						       : (long)CURL_IPRESOLVE_WHATEVER);
	SET(CURLOPT_USERAGENT, "mailmuster-probe/" MM_VERSION);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, q->file);
	SET(CURLOPT_ERRORBUFFER, error);
	return CURLE_OK;
}

static void fetch(const struct question *q)
{
	struct mm_ask_file *f = q->file;
	char error[CURL_ERROR_SIZE] = "";
	CURL *easy = curl_easy_init();
	if (easy == NULL)
		mm_oom();
	CURLcode rc = set_all(easy, q, error);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(easy);
	long status = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(easy);
	if (rc == CURLE_OK)
		return;
	free(f->body);
	f->body = NULL;
	f->absent = rc == CURLE_COULDNT_RESOLVE_HOST || status == 404 || status == 410;
	bool long_one = rc == CURLE_WRITE_ERROR || rc == CURLE_FILESIZE_EXCEEDED;
	snprintf(f->trouble, sizeof(f->trouble), "%.*s", (int)sizeof(f->trouble) - 1,
	    long_one           ? "it is too long"
	    : error[0] != '\0' ? error
			       : curl_easy_strerror(rc));
}

/* ---- all at once */

static void *work(void *arg)
{
	const struct question *q = arg;
	if (q->srv != NULL)
		ask_srv(q);
	else
		fetch(q);
	return NULL;
}

static void prepare(const char *domain, const char *ca_file, int family, struct mm_ask *a, struct question *q)
{
	static const char *const urls[MM_ASK_FILES][2] = {{"https://autoconfig.", "/mail/config-v1.1.xml"},
	    {"https://", "/.well-known/autoconfig/mail/config-v1.1.xml"}};
	for (size_t i = 0; i < MM_SRV_SERVICES; i++) {
		q[i].srv = &a->srv[i];
		snprintf(q[i].name, sizeof(q[i].name), "%s.%s", mm_srv_services[i].name, domain);
	}
	for (size_t i = 0; i < MM_ASK_FILES; i++) {
		struct question *f = &q[MM_SRV_SERVICES + i];
		*f = (struct question){.file = &a->file[i], .ca_file = ca_file, .family = family};
		snprintf(a->file[i].url, sizeof(a->file[i].url), "%s%s%s", urls[i][0], domain, urls[i][1]);
	}
}

int mm_ask_all(const char *domain, const char *ca_file, int family, struct mm_ask *out, struct mm_err *err)
{
	struct question q[QUESTIONS] = {{.srv = NULL}};
	pthread_t thread[QUESTIONS];
	pthread_attr_t attr;
	size_t begun = 0;
	*out = (struct mm_ask){.srv = {{.code = 0}}};
	prepare(domain, ca_file, family, out, q);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (begun < QUESTIONS && pthread_create(&thread[begun], &attr, work, &q[begun]) == 0)
		begun++;
	pthread_attr_destroy(&attr);
	for (size_t i = 0; i < begun; i++)
		pthread_join(thread[i], NULL);
	return begun == QUESTIONS ? 0 : mm_err_set(err, MM_EX_FAILED, "cannot start a thread");
}

void mm_ask_free(struct mm_ask *a)
{
	for (size_t i = 0; i < MM_SRV_SERVICES; i++)
		free(a->srv[i].answer);
	for (size_t i = 0; i < MM_ASK_FILES; i++)
		free(a->file[i].body);
	*a = (struct mm_ask){.srv = {{.code = 0}}};
}
