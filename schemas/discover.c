#include "schemas/discover.h"

#include <string.h>

#include "common/text.h"
#include "schemas/request.h"
#include "schemas/settings.h"

#define ALL "+all"
#define PACK 1000 /* bytes of one argument, at most, beside one name */

static const char user_word[] = "user:", domain_word[] = "domain:";

struct packing {
	struct mm_arena *a;
	const char **args;
	size_t n, cap;
};

static void pack(struct packing *p, const char *word, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct mm_buf b = MM_BUF_INIT(2 * PACK);
		mm_buf_adds(&b, word);
		for (bool first = true; i < n && (first || b.len + strlen(names[i]) + 1 < PACK);
		     first = false)
			mm_buf_addf(&b, "%s%s", first ? "" : ",", names[i++]);
		*(const char **)mm_arena_push(p->a, &p->args, &p->n, &p->cap, sizeof(*p->args)) =
		    mm_arena_strdup(p->a, mm_buf_str(&b));
		mm_buf_free(&b);
	}
}

int mm_discover_encode(const struct mm_discover_ask *ask, struct mm_arena *a, const char *const **args,
    size_t *n, struct mm_err *err)
{
	struct packing p = {.a = a};
	pack(&p, user_word, ask->users, ask->n_users);
	pack(&p, domain_word, ask->domains, ask->n_domains);
	if (ask->all)
		*(const char **)mm_arena_push(a, &p.args, &p.n, &p.cap, sizeof(*p.args)) = ALL;
	if (p.n > MM_OP_ARGS_MAX)
		return mm_err_set(err, MM_EX_DATAERR,
		    "%zu users and %zu domains do not fit into one request: choose people with --group or "
		    "--user",
		    ask->n_users, ask->n_domains);
	*args = p.args;
	*n = p.n;
	return 0;
}

struct names {
	const char **items;
	size_t n, cap;
};

static int unpack(const char *list, bool (*is_name)(const char *), struct mm_arena *a, struct names *out,
    struct mm_err *err)
{
	for (const char *p = list;; p++) {
		size_t len = strcspn(p, ",");
		const char *name = mm_arena_strndup(a, p, len);
		if (!is_name(name))
			return mm_err_set(err, MM_EX_DATAERR, "\"%.80s\" is no name", name);
		*(const char **)mm_arena_push(a, &out->items, &out->n, &out->cap, sizeof(*out->items)) = name;
		p += len;
		if (*p == '\0')
			return 0;
	}
}

int mm_discover_decode(
    const char *const *args, size_t n, struct mm_arena *a, struct mm_discover_ask *out, struct mm_err *err)
{
	struct names users = {.n = 0}, domains = {.n = 0};
	bool all = false;
	for (size_t i = 0; i < n; i++) {
		const char *x = args[i];
		int rc = 0;
		if (strncmp(x, user_word, strlen(user_word)) == 0)
			rc = unpack(x + strlen(user_word), mm_is_login, a, &users, err);
		else if (strncmp(x, domain_word, strlen(domain_word)) == 0)
			rc = unpack(x + strlen(domain_word), mm_is_hostname, a, &domains, err);
		else if (mm_streq(x, ALL))
			all = true;
		else
			rc = mm_err_set(err, MM_EX_DATAERR, "\"%.80s\" is no argument of a discover", x);
		if (rc != 0)
			return -1;
	}
	*out = (struct mm_discover_ask){.users = users.items,
	    .n_users = users.n,
	    .domains = domains.items,
	    .n_domains = domains.n,
	    .all = all};
	return 0;
}

bool mm_discover_knows(const struct mm_discover_ask *ask, const char *host)
{
	size_t n = host != NULL ? strlen(host) : 0;
	if (n == 0)
		return false;
	for (size_t i = 0; i < ask->n_domains; i++) {
		size_t len = strlen(ask->domains[i]);
		if (n < len || !mm_streq_nocase(host + n - len, ask->domains[i]))
			continue;
		if (n == len || host[n - len - 1] == '.')
			return true;
	}
	return ask->all;
}
