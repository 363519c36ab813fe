/*
 * The reading of key files against GLib itself: many texts put together of
 * the pieces at which readers part company, each read by both.
 */
#include <glib.h>

#include "agent/formats/keyfile.h"
#include "tests/unit/format_util.h"

#define TEXTS 20000
#define PIECES_MAX 24

static const char *const pieces[] = {"[A]\n", "[A] \n", "[B C]\n", " [A]\t\r\n", "[A", "]\n", "[", "[]\n",
    "[A]x\n", "k=v\n", "k = v \n", "k=", "k", "=", "\n", "\r\n", "\r", "\t", " ", "\f", "\v", "#", "# c\n",
    ";", "\\", "\\s", "\\t", "\\n", "\\q", "\\;", "\\\\", "a", "b=1\n", "k[de]=2\n", "k[d", "k=\\",
    "\xc3\xa4", "\xff", "\xef\xbb\xbf", "Encoding=UTF-8\n", "x\n", "993", "k=3;4;\n", "k=a\\;b\n", "\x01"};
#define N_PIECES (sizeof(pieces) / sizeof(pieces[0]))

/* xorshift: the same texts on every machine. */
static unsigned roll(uint64_t *state, unsigned n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (unsigned)(*state % n);
}

static const char *compose(uint64_t *state, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	unsigned n = roll(state, PIECES_MAX);
	const char *out;

	if (roll(state, 4) != 0)
		mm_buf_adds(&b, "[A]\n");
	for (unsigned i = 0; i < n; i++)
		mm_buf_adds(&b, pieces[roll(state, N_PIECES)]);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static void same_list(const struct mm_item *it, GKeyFile *glib, const char *text, struct mm_arena *a)
{
	gsize n = 0;
	size_t count = 0;
	gchar **theirs = g_key_file_get_string_list(glib, it->section, it->key, &n, NULL);
	const char *const *ours = mm_keyfile_list(it, a, &count);

	if ((theirs == NULL) != (ours == NULL) || (ours != NULL && count != n))
		fail_msg("%s=%s: another list in:\n%s", it->key, it->value, text);
	for (size_t i = 0; ours != NULL && i < n; i++)
		assert_string_equal(ours[i], theirs[i]);
	g_strfreev(theirs);
}

static void same_keys(const struct mm_doc *d, GKeyFile *glib, const char *text, struct mm_arena *a)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct mm_item *it = &d->items[i];
		GError *trouble = NULL;
		gchar *theirs;

		if (it->kind == 'c' && !g_key_file_has_group(glib, it->section))
			fail_msg("no group %s in:\n%s", it->section, text);
		if (it->kind == 'c' || !it->wins || strchr(it->key, '[') != NULL)
			continue; /* localized keys of other languages are not even kept */
		theirs = g_key_file_get_string(glib, it->section, it->key, &trouble);
		if ((trouble != NULL) != (it->kind == 'u'))
			fail_msg("[%s] %s: %s in:\n%s", it->section, it->key,
			    trouble != NULL ? trouble->message : "readable", text);
		if (trouble == NULL)
			assert_string_equal(theirs, it->value);
		g_clear_error(&trouble);
		g_free(theirs);
		same_list(it, glib, text, a);
	}
}

/* Nothing is there for GLib that is not there for us. */
static void no_more_keys(const struct mm_doc *d, GKeyFile *glib, const char *text)
{
	gchar **groups = g_key_file_get_groups(glib, NULL);

	for (gchar **g = groups; *g != NULL; g++) {
		gchar **keys = g_key_file_get_keys(glib, *g, NULL, NULL);

		for (gchar **k = keys; *k != NULL; k++)
			if (mm_keyfile_find(d, *g, *k) == NULL)
				fail_msg("no [%s] %s in:\n%s", *g, *k, text);
		g_strfreev(keys);
	}
	g_strfreev(groups);
}

/* What only we refuse: a CR that is no half of a line end. */
static bool stray_cr(const char *text)
{
	for (const char *p = text; (p = strchr(p, '\r')) != NULL; p++)
		if (p[1] != '\n')
			return true;
	return false;
}

static void as_glib_reads(void **state)
{
	uint64_t dice = 0x9e3779b97f4a7c15u;
	unsigned good = 0;

	(void)state;
	for (unsigned i = 0; i < TEXTS; i++) {
		struct mm_arena *a = mm_arena_new();
		const char *text = compose(&dice, a);
		GKeyFile *glib = g_key_file_new();
		struct mm_err err = MM_ERR_NONE;
		struct mm_doc d;
		bool theirs = g_key_file_load_from_data(glib, text, strlen(text), G_KEY_FILE_NONE, NULL);
		bool ours = mm_format_keyfile.parse(text_of(text), a, &d, &err) == 0;

		if (theirs != ours && !(theirs && stray_cr(text)))
			fail_msg("%s, and GLib %s:\n%s", ours ? "read" : err.text,
			    theirs ? "reads" : "refuses", text);
		if (theirs && ours) {
			same_keys(&d, glib, text, a);
			no_more_keys(&d, glib, text);
			good++;
		}
		g_key_file_free(glib);
		mm_arena_free(a);
	}
	assert_true(good > TEXTS / 20);
}

/* What is written, GLib reads as it was meant. */
static void glib_reads_what_is_written(void **state)
{
	uint64_t dice = 0x2545f4914f6cdd1du;

	(void)state;
	for (unsigned i = 0; i < TEXTS / 4; i++) {
		struct mm_arena *a = mm_arena_new();
		const char *value = compose(&dice, a);
		struct mm_edit e = {
		    .op = MM_EDIT_SET, .section = "A", .key = "k", .value = value, .kind = 's'};
		struct mm_buf b = MM_BUF_INIT(65536);
		GKeyFile *glib = g_key_file_new();

		if (mm_format_keyfile.edit(text_of("[A]\nj=1\n"), &e, 1, a, &b, NULL) == 0) {
			gchar *got;

			assert_true(
			    g_key_file_load_from_data(glib, mm_buf_str(&b), b.len, G_KEY_FILE_NONE, NULL));
			got = g_key_file_get_string(glib, "A", "k", NULL);
			assert_non_null(got);
			assert_string_equal(got, value);
			g_free(got);
		}
		g_key_file_free(glib);
		mm_buf_free(&b);
		mm_arena_free(a);
	}
}

/* GLib warns of its own error handling, thousands of times. */
static void silent(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer data)
{
	(void)domain, (void)level, (void)text, (void)data;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_glib_reads),
	    cmocka_unit_test(glib_reads_what_is_written),
	};

	g_log_set_default_handler(silent, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
