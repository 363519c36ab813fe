/* Values of settings: one check and canonical form per type. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "common/digest.h"
#include "common/json.h"
#include "common/text.h"
#include "schemas/settings.h"
#include "schemas/wire.h"

#define LOCAL_PART_MAX 64 /* RFC 5321 4.5.3.1.1 */

static int bad(struct mm_err *err, const char *what, const char *text)
{
	return mm_err_set(err, MM_EX_DATAERR, "%s: \"%.120s\"", what, text);
}

static char *lower(const char *s, struct mm_arena *a)
{
	char *copy = mm_arena_strdup(a, s);
	for (char *p = copy; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return copy;
}

static int canon_text(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	size_t n = strlen(text);
	if (n < (size_t)d->min)
		return mm_err_set(err, MM_EX_DATAERR, "empty");
	/* Half of the clients' grammars cut blanks at the ends of a value. */
	if (text[0] == ' ' || text[n - 1] == ' ')
		return bad(err, "begins or ends with a blank", text);
	*out = mm_arena_strdup(a, text);
	return 0;
}

static int canon_host(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	(void)d;
	unsigned char ip[sizeof(struct in6_addr)];
	char literal[INET6_ADDRSTRLEN];
	if (inet_pton(AF_INET6, text, ip) == 1) {
		*out = mm_arena_strdup(a, inet_ntop(AF_INET6, ip, literal, sizeof(literal)));
		return 0;
	}
	if (strpbrk(text, "[]") != NULL)
		return bad(err, "not a host name (write an IPv6 address without brackets)", text);
	if (strchr(text, ':') != NULL)
		return bad(err, "not a host name (a port belongs into \"port\")", text);
	if (!mm_is_hostname(text))
		return bad(err, "not a host name", text);
	*out = lower(text, a);
	return 0;
}

static bool local_part_ok(const char *s, size_t n)
{
	/* RFC 5322 3.2.3, dot-atom */
	static const char atext[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-/=?^_`{|}~.";
	if (n == 0 || n > LOCAL_PART_MAX || strspn(s, atext) < n || s[0] == '.' || s[n - 1] == '.')
		return false;
	for (size_t i = 1; i < n; i++) {
		if (s[i] == '.' && s[i - 1] == '.')
			return false;
	}
	return true;
}

static int canon_address(const struct mm_setting_def *d, const char *text, struct mm_arena *a,
    const char **out, struct mm_err *err)
{
	(void)d;
	const char *at = strchr(text, '@');
	if (at == NULL || !local_part_ok(text, (size_t)(at - text)))
		return bad(err, "not a mail address (local@domain)", text);
	const char *domain = at + 1;
	unsigned char ip[sizeof(struct in6_addr)];
	if (!mm_is_hostname(domain) || inet_pton(AF_INET, domain, ip) == 1 ||
	    inet_pton(AF_INET6, domain, ip) == 1)
		return bad(err, "not a mail address (the domain is no host name)", text);
	*out = mm_arena_printf(a, "%.*s@%s", (int)(at - text), text, lower(domain, a));
	return 0;
}

static int canon_int(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	int64_t v;
	if (mm_parse_int(text, d->min, d->max, &v) != 0)
		return mm_err_set(err, MM_EX_DATAERR,
		    "not a number from %" PRId64 " to %" PRId64 ": \"%.40s\"", d->min, d->max, text);
	*out = mm_arena_printf(a, "%" PRId64, v);
	return 0;
}

static int canon_listed(const char *text, const char *const *words, const char **out, struct mm_err *err)
{
	struct mm_buf list = MM_BUF_INIT(512);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (mm_streq_nocase(words[i], text)) {
			*out = words[i];
			mm_buf_free(&list);
			return 0;
		}
		mm_buf_addf(&list, "%s%s", i == 0 ? "" : ", ", words[i]);
	}
	mm_err_set(err, MM_EX_DATAERR, "\"%.40s\" is none of: %s", text, mm_buf_str(&list));
	mm_buf_free(&list);
	return -1;
}

static int canon_word(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	(void)a;
	return canon_listed(text, d->words, out, err);
}

static int canon_bool(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	static const char *const words[] = {"yes", "no", NULL};
	(void)d;
	(void)a;
	return canon_listed(text, words, out, err);
}

/* Absolute, and no step up: a path that is compared with a list of allowed
 * ones must not have a second spelling. */
static bool path_ok(const char *s)
{
	if (s[0] != '/' || s[1] == '\0')
		return false;
	for (const char *p = strstr(s, "/.."); p != NULL; p = strstr(p + 1, "/..")) {
		if (p[3] == '/' || p[3] == '\0')
			return false;
	}
	return true;
}

static int canon_path(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	(void)d;
	if (!path_ok(text))
		return bad(err, "not an absolute path without \"..\"", text);
	*out = mm_arena_strdup(a, text);
	return 0;
}

/* One "sha256//BASE64" of n bytes. Encoded again and compared, so that the
 * two spare bits of the last digit cannot make a second spelling. */
static bool pin_ok(const char *s, size_t n)
{
	static const char prefix[] = "sha256//";
	size_t skip = sizeof(prefix) - 1;
	if (n < skip || memcmp(s, prefix, skip) != 0)
		return false;
	struct mm_buf raw = MM_BUF_INIT(64), again = MM_BUF_INIT(64);
	bool ok = mm_unbase64(s + skip, n - skip, &raw) == 0 && raw.len == MM_SHA256_LEN;
	if (ok)
		mm_base64(raw.data, raw.len, &again);
	ok = ok && again.len == n - skip && memcmp(again.data, s + skip, n - skip) == 0;
	mm_buf_free(&raw);
	mm_buf_free(&again);
	return ok;
}

static int canon_pin(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	(void)d;
	size_t count = 0;
	for (const char *p = text;; count++) {
		size_t n = strcspn(p, ";");
		if (count == MM_PINS_MAX || !pin_ok(p, n))
			return bad(err, "not a key pin (sha256//BASE64 of 32 bytes)", text);
		if (p[n] == '\0')
			break;
		p += n + 1;
	}
	*out = mm_arena_strdup(a, text);
	return 0;
}

/* No empty level, and none that is a step in a path. */
static bool levels_ok(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");
		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

/* RFC 9051 5.1: names are taken as they are, but for the inbox, which is the
 * same in any case. Wildcards of LIST, and what begins a namespace or a path
 * in some client's file, are no part of a name here. */
static int canon_folder(const struct mm_setting_def *d, const char *text, struct mm_arena *a,
    const char **out, struct mm_err *err)
{
	static const char inbox[] = "INBOX";
	const char *copy;
	if (canon_text(d, text, a, &copy, err) != 0)
		return -1;
	if (strpbrk(text, "*%") != NULL || strchr("#~=+!/", text[0]) != NULL)
		return bad(err, "not a mailbox name (no *, no %, and none of #~=+!/ in front)", text);
	if (!levels_ok(text))
		return bad(err, "not a mailbox name (an empty level, or \".\", or \"..\")", text);
	size_t n = strcspn(text, "/");
	if (n == sizeof(inbox) - 1 && strncasecmp(text, inbox, n) == 0) {
		if (text[n] == '\0')
			return bad(err, "the inbox itself is no folder for this", text);
		copy = mm_arena_printf(a, "%s%s", inbox, text + n);
	}
	*out = copy;
	return 0;
}

/* ---- argument vectors */

static int check_arg(const json_t *item, size_t i, struct mm_err *err)
{
	const char *s = json_string_value(item);
	if (s == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "argument %zu is not a string", i);
	if (json_string_length(item) > MM_ARG_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "argument %zu has more than %d bytes", i, MM_ARG_MAX);
	if (strlen(s) != json_string_length(item) || !mm_wire_text_ok(s))
		return mm_err_set(err, MM_EX_DATAERR, "argument %zu holds a control character", i);
	if (i == 0 && !path_ok(s))
		return bad(err, "the program is not an absolute path without \"..\"", s);
	return 0;
}

int mm_argv_parse(
    const char *text, struct mm_arena *a, const char *const **argv, size_t *n, struct mm_err *err)
{
	json_t *list = mm_json_load("argument vector", text, strlen(text), err);
	if (list == NULL)
		return -1;
	int rc = -1;
	size_t count = json_array_size(list);
	const char **items = mm_arena_alloc(a, count + 1, sizeof(*items));
	if (count == 0 || count > MM_ARGV_MAX) {
		mm_err_set(err, MM_EX_DATAERR, "not a list of 1 to %d strings", MM_ARGV_MAX);
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		if (check_arg(item, i, err) != 0)
			goto out;
		items[i] = mm_arena_strdup(a, json_string_value(item));
	}
	*argv = items;
	*n = count;
	rc = 0;
out:
	json_decref(list);
	return rc;
}

const char *mm_argv_text(const char *const *argv, struct mm_arena *a)
{
	json_t *list = json_array();
	size_t total = 0;
	for (size_t i = 0; argv[i] != NULL; i++) {
		struct mm_buf clean = MM_BUF_INIT(3 * strlen(argv[i]) + 1);
		mm_wire_clean(&clean, argv[i]);
		if (json_array_append_new(list, json_string(mm_buf_str(&clean))) != 0)
			mm_oom();
		total += 2 * clean.len + 3; /* every byte escaped, quotes, comma */
		mm_buf_free(&clean);
	}
	struct mm_buf b = MM_BUF_INIT(total + 2);
	mm_json_dump(list, &b);
	json_decref(list);
	const char *text = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return text;
}

static int canon_argv(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	(void)d;
	const char *const *argv;
	size_t n;
	if (mm_argv_parse(text, a, &argv, &n, err) != 0)
		return -1;
	const char *canon = mm_argv_text(argv, a);
	if (strlen(canon) > MM_VALUE_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "more than %d bytes in all", MM_VALUE_MAX);
	*out = canon;
	return 0;
}

/* ---- any type */

typedef int canon_fn(const struct mm_setting_def *d, const char *text, struct mm_arena *a, const char **out,
    struct mm_err *err);

static canon_fn *const canons[] = {
    [MM_TYPE_TEXT] = canon_text,
    [MM_TYPE_ADDRESS] = canon_address,
    [MM_TYPE_HOST] = canon_host,
    [MM_TYPE_INT] = canon_int,
    [MM_TYPE_WORD] = canon_word,
    [MM_TYPE_BOOL] = canon_bool,
    [MM_TYPE_ARGV] = canon_argv,
    [MM_TYPE_PATH] = canon_path,
    [MM_TYPE_PIN] = canon_pin,
    [MM_TYPE_FOLDER] = canon_folder,
};

static bool is_measured(enum mm_type t)
{
	return t == MM_TYPE_TEXT || t == MM_TYPE_ADDRESS || t == MM_TYPE_HOST || t == MM_TYPE_PATH ||
	       t == MM_TYPE_FOLDER;
}

int mm_setting_canon(
    enum mm_setting s, const char *text, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const struct mm_setting_def *d = mm_setting_def(s);
	size_t n = strlen(text);
	if (!mm_is_utf8(text, n))
		return mm_err_set(err, MM_EX_DATAERR, "not valid UTF-8");
	if (!mm_wire_text_ok(text))
		return mm_err_set(err, MM_EX_DATAERR, "holds a control character");
	if (is_measured(d->type) && n > (size_t)d->max)
		return mm_err_set(err, MM_EX_DATAERR, "more than %" PRId64 " bytes", d->max);
	return canons[d->type](d, text, a, out, err);
}

bool mm_setting_equal(enum mm_setting s, const char *x, const char *y)
{
	if (x == NULL || y == NULL || mm_streq(x, y))
		return mm_streq(x, y);
	struct mm_arena *a = mm_arena_new();
	const char *cx, *cy;
	if (mm_setting_canon(s, x, a, &cx, NULL) != 0)
		cx = x;
	if (mm_setting_canon(s, y, a, &cy, NULL) != 0)
		cy = y;
	bool equal =
	    (mm_setting_def(s)->flags & MM_SETF_NOCASE) != 0 ? mm_streq_nocase(cx, cy) : mm_streq(cx, cy);
	mm_arena_free(a);
	return equal;
}

static bool is_tls_version(const char *s)
{
	return s != NULL && s[0] == '1' && s[1] == '.' && s[2] >= '0' && s[2] <= '9' && s[3] == '\0';
}

bool mm_setting_satisfies(enum mm_setting s, const char *found, const char *desired)
{
	if (mm_setting_equal(s, found, desired))
		return true;
	/* The word "password" stands for any of these, see mm_auth_words. */
	if (s == MM_SET_IN_AUTH || s == MM_SET_OUT_AUTH)
		return mm_streq(desired, "password") &&
		       (mm_streq(found, "plain") || mm_streq(found, "login"));
	return (s == MM_SET_IN_TLS_MIN || s == MM_SET_OUT_TLS_MIN) && is_tls_version(found) &&
	       is_tls_version(desired) && found[2] > desired[2];
}
