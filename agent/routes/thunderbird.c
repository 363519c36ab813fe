/*
 * Thunderbird for everybody: a configuration script (AutoConfig) in the folder
 * of the installation, and the preference that names it. Each start runs it
 * after the user's own preferences are read (153.7.0esr, with the program):
 *
 *   lockPref("mail.server.server_mm_work.hostname", "imap.acme.example");
 *   lockPref("mail.server.server_mm_work.userName", getenv("USER"));
 *   pref("mail.smtpservers", ...)         the user's list, with ours in front
 *
 * What the policy says is locked, what only makes a usable account of it is a
 * default, and of lists nothing of the user's is lost. Without the script that
 * the preference names Thunderbird would not start at all: the script is there
 * first and goes last.
 *
 * Where it is edited it reads as a prefs.js, so that reading and writing of
 * accounts are those of the user's profile.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/thunderbird.h"
#include "agent/formats/prefsjs.h"
#include "agent/routes/route.h"
#include "common/text.h"

#define FOLDER "/usr/lib/thunderbird"
#define SCRIPT FOLDER "/" MM_TB_OWN_SCRIPT
#define POINTER "/etc/thunderbird/pref/mailmuster.js"
#define FIRST_LINE "// Mailmuster: this line is not read, as the first of every such script.\n"
#define LOGIN "getenv(\"USER\")"
#define LIST_MIDDLE ",\" + getPref("
#define LIST_END                                                                                             \
	", \"\")).split(\",\").filter(function(k, i, all) { return k && all.indexOf(k) == i; "               \
	"}).join(\",\"));"

static const char *const dirs[] = {SCRIPT, POINTER, NULL};

/* ---- the three ways to set a preference */

enum way { LOCK, DFLT, LIST, PLAIN };
static const char *const words[] = {
    [LOCK] = "lockPref", [DFLT] = "defaultPref", [LIST] = "pref", [PLAIN] = "pref"};

static bool is_one_of(const char *key, size_t n, const char *const *v)
{
	for (; *v != NULL; v++)
		if (strlen(*v) == n && memcmp(*v, key, n) == 0)
			return true;
	return false;
}

static bool ends_with(const char *s, size_t n, const char *tail)
{
	size_t k = strlen(tail);
	return n >= k && memcmp(s + n - k, tail, k) == 0;
}

static enum way way_of(const char *key, size_t n)
{
	static const char *const lists[] = {"mail.accountmanager.accounts", "mail.smtpservers", NULL};
	static const char *const own[] = {"general.config.filename", "general.config.obscure_value", NULL};
	static const char *const choices[] = {
	    "mail.accountmanager.defaultaccount", "mail.smtp.defaultserver", NULL};
	static const char *const tails[] = {
	    ".name", ".login_at_startup", ".check_new_mail", ".storeContractID", ".description", NULL};
	if (is_one_of(key, n, lists))
		return LIST;
	if (is_one_of(key, n, own))
		return PLAIN;
	if (is_one_of(key, n, choices))
		return DFLT;
	for (size_t i = 0; tails[i] != NULL; i++)
		if (ends_with(key, n, tails[i]))
			return DFLT;
	return LOCK;
}

/* user_pref("KEY", VALUE); */
struct statement {
	const char *key, *value; /* the key without its quotes, the value as it stands */
	size_t n_key, n_value;
};

static bool take(const char **p, const char *end, const char *text)
{
	size_t k = strlen(text);
	if ((size_t)(end - *p) < k || memcmp(*p, text, k) != 0)
		return false;
	*p += k;
	return true;
}

/* `head`: "user_pref(\"" or what stands for it. */
static bool parse(const char *line, size_t n, const char *head, struct statement *s)
{
	const char *p = line, *end = line + n;
	if (!take(&p, end, head) || !take(&p, end, "(\""))
		return false;
	s->key = p;
	while (p < end && *p != '"')
		p++;
	s->n_key = (size_t)(p - s->key);
	if (!take(&p, end, "\", ") || end - p < 3 || memcmp(end - 2, ");", 2) != 0)
		return false;
	s->value = p;
	s->n_value = (size_t)(end - 2 - p);
	return true;
}

/* "a mm--login-- b" -> "a " + getenv("USER") + " b" */
static void encode_value(struct mm_buf *out, const char *s, size_t n)
{
	size_t k = strlen(MM_SYSTEM_LOGIN);
	const char *end = s + n - 1, *hit, *plus = "";
	if (n < 2 || s[0] != '"' || memmem(s, n, MM_SYSTEM_LOGIN, k) == NULL) {
		mm_buf_add(out, s, n);
		return;
	}
	for (s++; (hit = memmem(s, (size_t)(end - s), MM_SYSTEM_LOGIN, k)) != NULL; s = hit + k) {
		if (hit > s)
			mm_buf_addf(out, "%s\"%.*s\"", plus, (int)(hit - s), s);
		mm_buf_addf(out, "%s" LOGIN, hit > s ? " + " : plus);
		plus = " + ";
	}
	if (end > s)
		mm_buf_addf(out, "%s\"%.*s\"", plus, (int)(end - s), s);
}

/* The end of the text that begins at p[0], or NULL. */
static const char *text_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : NULL;
}

static bool decode_value(struct mm_buf *out, const char *s, size_t n)
{
	const char *p = s, *end = s + n, *stop;
	if (memmem(s, n, LOGIN, strlen(LOGIN)) == NULL) {
		mm_buf_add(out, s, n);
		return true;
	}
	mm_buf_addc(out, '"');
	do {
		if (take(&p, end, LOGIN)) {
			mm_buf_adds(out, MM_SYSTEM_LOGIN);
			continue;
		}
		stop = p < end && *p == '"' ? text_end(p, end) : NULL;
		if (stop == NULL)
			return false;
		mm_buf_add(out, p + 1, (size_t)(stop - p) - 2);
		p = stop;
	} while (take(&p, end, " + "));
	mm_buf_addc(out, '"');
	return p == end;
}

/* ---- one line */

static bool encode_line(struct mm_buf *out, const char *line, size_t n)
{
	struct statement s;
	if (!parse(line, n, "user_pref", &s))
		return false;
	enum way way = way_of(s.key, s.n_key);
	mm_buf_addf(out, "%s(\"%.*s\", ", words[way], (int)s.n_key, s.key);
	if (way == LIST && s.n_value >= 2)
		mm_buf_addf(out, "(%.*s" LIST_MIDDLE "\"%.*s\"" LIST_END, (int)s.n_value - 1, s.value,
		    (int)s.n_key, s.key);
	else
		encode_value(out, s.value, s.n_value);
	if (way != LIST)
		mm_buf_adds(out, ");");
	return true;
}

static bool decode_list(struct mm_buf *out, const struct statement *s)
{
	const char *middle = memmem(s->value, s->n_value, LIST_MIDDLE, strlen(LIST_MIDDLE));
	if (s->n_value < 2 || s->value[0] != '(' || middle == NULL)
		return false;
	mm_buf_addf(out, "%.*s\"", (int)(middle - s->value - 1), s->value + 1);
	return true;
}

static bool decode_line(struct mm_buf *out, const char *line, size_t n)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX), again = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	struct statement s;
	bool ok = false;
	for (enum way w = LOCK; w <= PLAIN && !ok; w++) {
		mm_buf_reset(&b);
		mm_buf_reset(&again);
		if (!parse(line, n, words[w], &s) || way_of(s.key, s.n_key) != w)
			continue;
		mm_buf_addf(&b, "user_pref(\"%.*s\", ", (int)s.n_key, s.key);
		ok = w == LIST ? decode_list(&b, &s) : decode_value(&b, s.value, s.n_value);
		mm_buf_adds(&b, ");");
		/* What we would not have written so stays what it is: something else. */
		ok = ok && encode_line(&again, mm_buf_str(&b), b.len) && again.len == n &&
		     memcmp(mm_buf_str(&again), line, n) == 0;
	}
	if (ok)
		mm_buf_add(out, mm_buf_str(&b), b.len);
	mm_buf_free(&again);
	mm_buf_free(&b);
	return ok;
}

static int encode(
    struct mm_arena *a, const char *path, struct mm_text in, struct mm_text *out, struct mm_err *err)
{
	if (mm_route_lines(a, in, encode_line, out, err) != 0)
		return -1;
	if (mm_streq(path, SCRIPT) && in.n > 0) {
		const char *whole = mm_arena_printf(a, FIRST_LINE "%.*s", (int)out->n, out->p);
		*out = (struct mm_text){whole, strlen(whole)};
	}
	return 0;
}

static int decode(
    struct mm_arena *a, const char *path, struct mm_text in, struct mm_text *out, struct mm_err *err)
{
	const char *nl = memchr(in.p, '\n', in.n);
	if (mm_streq(path, SCRIPT) && in.n > 0) {
		if (nl == NULL || (size_t)(nl + 1 - in.p) != strlen(FIRST_LINE) ||
		    memcmp(in.p, FIRST_LINE, strlen(FIRST_LINE)) != 0)
			return mm_err_set(err, MM_EX_DATAERR, "%s: the first line is not ours", path);
		in.n -= (size_t)(nl + 1 - in.p);
		in.p = nl + 1;
	}
	return mm_route_lines(a, in, decode_line, out, err);
}

/* ---- as a client */

static const struct mm_tb_profile profile = {
    .program = "Thunderbird", .root = FOLDER, .dir = FOLDER, .machine = true};

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const *names;
	(void)create;
	*places = NULL;
	*n = 0;
	if (r->list(r, FOLDER, &names, err) != 1)
		return 0; /* no installation of Debian's */
	mm_route_place(r, "thunderbird", SCRIPT, places, n);
	for (size_t i = 0; i < *n; i++)
		(*places)[i].priv = &profile;
	return 0;
}

/* Which script each start runs, or NULL. */
static int named_script(struct mm_reader *r, const struct mm_tb_pref **out, struct mm_err *err)
{
	struct mm_tb_prefs t;
	if (mm_tb_load(r, SCRIPT, true, &t, NULL, err) != 0)
		return -1;
	*out = mm_tb_find(&t, "general.config.filename");
	return 0;
}

/* A script that nobody names says nothing to the program. */
static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	const struct mm_tb_pref *named;
	if (mm_client_thunderbird.read(r, p, out, err) != 0 || named_script(r, &named, err) != 0)
		return -1;
	bool runs = named != NULL && mm_streq(named->value, MM_TB_OWN_SCRIPT);
	for (size_t i = 0; i < out->n; i++) {
		for (int s = 0; s < MM_SET_COUNT; s++) {
			struct mm_seen *seen = &out->accounts[i].s[s];
			if (!mm_streq(seen->path, SCRIPT))
				continue;
			seen->line++; /* the first one */
			if (!runs)
				*seen = (struct mm_seen){.note = "No preference names the script."};
		}
	}
	return 0;
}

/* Does anything stand in the script? */
static bool has_statements(struct mm_reader *r)
{
	struct mm_text text;
	struct mm_doc d;
	struct mm_err none;
	return mm_read_text(r, SCRIPT, &text, &none) > 0 &&
	       mm_format_prefsjs.parse(text, r->arena, &d, &none) == 0 && d.n > 0;
}

/* The preference belongs to all accounts: with the last one it goes. */
static void name_script(struct mm_reader *r, bool wanted, struct mm_edits *out)
{
	static const char *const keys[] = {"general.config.obscure_value", "general.config.filename"};
	struct mm_edit_list l = {0};
	if (!wanted && !mm_have_file(r, POINTER))
		return;
	for (size_t i = 0; i < 2; i++)
		mm_want_edit(&l, r->arena, wanted ? MM_EDIT_SET : MM_EDIT_DELETE, "", keys[i],
		    i == 0 ? 'i' : 's',
		    !wanted  ? NULL
		    : i == 0 ? "0"
			     : MM_TB_OWN_SCRIPT);
	mm_want_file(out, r->arena, POINTER, &mm_format_prefsjs, &l, 0644);
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	const struct mm_tb_pref *named;
	if (named_script(r, &named, err) != 0)
		return -1;
	if (named != NULL && !mm_streq(named->value, MM_TB_OWN_SCRIPT) && ch->kind != MM_CHANGE_REMOVE)
		return mm_err_set(err, MM_EX_DIFF,
		    "%s:%d names a configuration script already (%s), and Thunderbird runs only one",
		    named->path, named->line, named->value != NULL ? named->value : "");
	if (mm_client_thunderbird.change(r, p, now, ch, out, err) != 0)
		return -1;
	for (size_t i = 0; i < out->n; i++)
		if (out->files[i].create_mode != 0)
			out->files[i].create_mode = 0644;
	name_script(r, ch->kind != MM_CHANGE_REMOVE || has_statements(r), out);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	const char *why = mm_route_no_login(s, value);
	return why != NULL ? why : mm_client_thunderbird.unsupported(s, value, all);
}

const struct mm_client mm_route_client_thunderbird = {
    .name = "thunderbird",
    .label = "Thunderbird",
    .programs = (const char *const[]){"thunderbird", NULL},
    .incoming = true,
    .outgoing = true,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};

const struct mm_route mm_route_thunderbird = {
    .client = &mm_route_client_thunderbird,
    .dirs = dirs,
    .whole_at_first = true,
    .decode = decode,
    .encode = encode,
};
