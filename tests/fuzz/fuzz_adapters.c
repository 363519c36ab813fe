/*
 * The adapters on arbitrary files, with what must hold as the oracle: what
 * was written is read back, a second run changes nothing, taking it back
 * gives the bytes from before.
 *
 *	client (a digit) LF file...     a NUL byte parts the main file from one that includes find,
 *	                                and that stands for each file beside Thunderbird's prefs.js
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/formats/muttrc.h"
#include "common/text.h"
#include "tests/lib/clientrun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct files {
	const char *main;
	struct mm_text text, other;
};

/* Which files have the other text; JSON is never a user.js. */
static bool is_other(const char *path, bool json)
{
	return mm_ends_with(path, "/x") || (json && mm_ends_with(path, "/logins.json")) ||
	       (!json && (mm_ends_with(path, "/user.js") || mm_ends_with(path, "/cert_override.txt")));
}

static int memory_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	static const char profiles[] =
	    "[InstallFDC34C9F024745EB]\nDefault=p\n[Profile0]\nPath=p\nIsRelative=1\n";
	const struct files *f = r->ctx;

	(void)err;
	*why = MM_FILE_OK;
	if (mm_streq(path, "/h/.thunderbird/profiles.ini")) {
		*out = (struct mm_text){.p = profiles, .n = sizeof(profiles) - 1};
		return 1;
	}
	*out = mm_streq(path, f->main) ? f->text : f->other;
	if (mm_streq(path, f->main) || (f->other.n > 0 && is_other(path, f->other.p[0] == '{')))
		return 1;
	*why = MM_FILE_ABSENT;
	return 0;
}

static int memory_list(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err)
{
	static const char *const sources[] = {"a.source", NULL}, *const geary[] = {"account_01", NULL};
	const struct files *f = r->ctx;

	(void)err;
	*names = mm_ends_with(path, "/sources") ? sources : geary;
	return mm_starts_with(f->main, path) ? 1 : 0;
}

static const char *no_env(struct mm_reader *r, const char *name)
{
	(void)r, (void)name;
	return NULL;
}

static bool any_program(struct mm_reader *r, const char *name)
{
	(void)r, (void)name;
	return true;
}

static bool no_lock(struct mm_reader *r, const char *path)
{
	(void)r, (void)path;
	return false;
}

static const char *const no_hosts[] = {"mail.old.example", NULL};

static void wanted(struct mm_account *acc)
{
	static const struct {
		enum mm_setting s;
		const char *v;
	} rows[] = {{MM_SET_ADDRESS, "a@b.example"}, {MM_SET_REAL_NAME, "`id`\"; $(x) | y"},
	    {MM_SET_IN_PROTOCOL, "imap"}, {MM_SET_IN_HOST, "h.example"}, {MM_SET_IN_PORT, "993"},
	    {MM_SET_IN_SECURITY, "tls"}, {MM_SET_IN_AUTH, "password"}, {MM_SET_IN_USERNAME, "a@b.example"},
	    {MM_SET_IN_PASSWORD_COMMAND, "[\"/bin/x\",\"it's\"]"}, {MM_SET_IN_TLS_MIN, "1.2"},
	    {MM_SET_OUT_PROTOCOL, "smtp"}, {MM_SET_OUT_HOST, "s.example"}, {MM_SET_OUT_PORT, "587"},
	    {MM_SET_OUT_SECURITY, "starttls"}, {MM_SET_OUT_AUTH, "password"}, {MM_SET_OUT_USERNAME, "a"},
	    {MM_SET_OUT_PASSWORD_COMMAND, "[\"/bin/x\",\"y\"]"}, {MM_SET_OUT_TLS_MIN, "1.2"}};

	*acc = (struct mm_account){.name = "work", .label = "Work", .replaces = no_hosts};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		acc->want.v[rows[i].s] = rows[i].v;
}

static void broken(const char *client, const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s: %s\n", client, what, detail);
	abort();
}

static void check(struct mm_client_run *run, const struct mm_client *cl, const struct mm_sheet *sheet)
{
	struct mm_client_run second;
	struct mm_err err = MM_ERR_NONE;
	const struct mm_overlay_file *f;
	const char *why = mm_client_unproven(run);
	size_t n;

	if (why != NULL)
		broken(cl->name, "not read back", why);
	if (mm_client_run(&second, mm_overlay_reader(run->o), cl, sheet, &err) != 0)
		broken(cl->name, "a second run is refused", err.text);
	mm_overlay_files(second.o, &n);
	if (n != 0)
		broken(cl->name, "a second run changes bytes", "");
	if (mm_client_undo(run, &err) != 0)
		broken(cl->name, "cannot be taken back", err.text);
	f = mm_overlay_files(run->o, &n);
	for (size_t i = 0; i < n; i++)
		if (f[i].before.p != NULL || f[i].after.n != 0)
			broken(cl->name, "taking it back leaves another file", f[i].path);
}

/* A user.js may hide what is added; an unfinished last line of a muttrc is
 * finished by whatever comes behind it. Both are found out when reading back. */
static bool is_exempt(const char *client, const struct files *f)
{
	if (mm_streq(client, "thunderbird"))
		return f->other.n > 0;
	return mm_ends_with(client, "mutt") && mm_muttrc_open_end(f->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *client, *path;
	} which[] = {{"msmtp", "/h/.msmtprc"}, {"mutt", "/h/.muttrc"}, {"neomutt", "/h/.neomuttrc"},
	    {"thunderbird", "/h/.thunderbird/p/prefs.js"}, {"mpop", "/h/.mpoprc"}, {"mbsync", "/h/.mbsyncrc"},
	    {"aerc", "/h/.config/aerc/accounts.conf"}, {"evolution", "/h/.config/evolution/sources/a.source"},
	    {"fetchmail", "/h/.fetchmailrc"}, {"goa", "/h/.config/goa-1.0/accounts.conf"},
	    {"getmail", "/h/.getmail/getmailrc"}, {"offlineimap", "/h/.offlineimaprc"},
	    {"git", "/h/.gitconfig"}, {"geary", "/h/.config/geary/account_01/geary.ini"},
	    {"kmail", "/h/.config/akonadi/agentsrc"}, {"balsa", "/h/.balsa/config"},
	    {"mailspring", "/h/.config/Mailspring/config.json"}, {"fdm", "/h/.fdm.conf"},
	    {"nmh", "/h/.mh_profile"}, {"emacs", "/h/.emacs"}, {"s_nail", "/h/.mailrc"},
	    {"himalaya", "/h/.config/himalaya/config.toml"}, {"meli", "/h/.config/meli/config.toml"},
	    {"netrc", "/h/.netrc"}};
	const char *text = (const char *)data + 2, *nul;
	struct files files;
	struct mm_account acc;
	struct mm_sheet sheet = {.user = "a", .accounts = &acc, .n_accounts = 1, .tls_min = "1.2"};
	struct mm_client_run run;
	struct mm_err err = MM_ERR_NONE;
	size_t k;

	if (size < 2)
		return 0;
	k = (uint8_t)(data[0] - '0') % (sizeof(which) / sizeof(which[0]));
	nul = memchr(text, '\0', size - 2);
	files.main = which[k].path;
	files.text = (struct mm_text){.p = text, .n = nul != NULL ? (size_t)(nul - text) : size - 2};
	files.other = nul != NULL ? (struct mm_text){.p = nul + 1, .n = size - 3 - files.text.n}
				  : (struct mm_text){.p = "", .n = 0};
	wanted(&acc);
	struct mm_reader r = {.arena = mm_arena_new(),
	    .login = "a",
	    .home = "/h",
	    .file = memory_file,
	    .list = memory_list,
	    .env = no_env,
	    .program = any_program,
	    .locked = no_lock,
	    .ctx = &files};
	if (mm_client_run(&run, &r, mm_client_by_name(which[k].client), &sheet, &err) == 0 &&
	    run.place != NULL && !is_exempt(which[k].client, &files))
		check(&run, run.client, &sheet);
	mm_arena_free(r.arena);
	return 0;
}
