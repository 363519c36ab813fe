/*
 * Thunderbird: what its modules share.
 *
 *   thunderbird_profile.c  which folders are profiles, which one a plain start takes, how to make one
 *   thunderbird_prefs.c    every layer of preferences that a start would read; which value wins
 *   thunderbird_map.c      our settings <-> its preferences and their numbers; what it cannot express
 *   thunderbird_folders.c  folder roles: addresses of folders, and what goes with them
 *   thunderbird_change.c   adding, changing and removing accounts
 *   thunderbird_traps.c    what is wrong whatever the policy says
 *   thunderbird.c          the adapter; reading accounts
 *
 * Edited: prefs.js of a profile (and profiles.ini when a profile is made),
 * under an fcntl lock on the profile's .parentlock, which Thunderbird itself
 * holds while it runs. user.js, /etc/thunderbird/pref/ *.js and policies.json
 * win over prefs.js; they are read and never written.
 *
 * Betterbird is no client of its own: installed as a package it shares
 * ~/.thunderbird, and two clients would own one file. What its section of
 * profiles.ini points to is a profile in use like any other.
 *
 * SeaMonkey (~/.mozilla/seamonkey) has the same preferences, from before they
 * were tidied up: `realhostname` and `realuserName` win over the names that an
 * account was made with, socketType 1 still is STARTTLS where it is offered, and
 * the TLS floor that it has without a setting depends on its version. Its files
 * below /etc are others. Not in Debian: no real program proved it (Gecko 60:
 * nsMsgIncomingServer.cpp, MailNewsTypes2.idl).
 *
 * Native keys: account_mm_NAME, server_mm_NAME, id_mm_NAME, smtp_mm_NAME for
 * what is added (NAME-2 where something stands there already). Thunderbird
 * numbers its own keys and never meets these. An account that was there keeps
 * its keys, and with them its folders; one whose outgoing server others use,
 * too, gets one of its own.
 *
 * What is no setting of Thunderbird, and therefore gets no finding
 * (MM_CLIENT_NOT_ITS_BUSINESS):
 *   password_command  it asks the user and keeps the password in its own store
 *   ca_file           it trusts its certificate store (policies.json, "Certificates"), not a file; an
 *                     account whose server's authority it does not trust fails to log in, visibly
 *   leave_on_server   of an IMAP account
 * What is a promise that it does not keep is `unsupported` and never green:
 * a key pin; a TLS floor of 1.3 (its floor is one for all accounts, and
 * raising it above its own default would take the user's other accounts
 * along); authentication that it does not speak or cannot be told.
 *
 * Sources: measured with 153.7.0esr and 140.12.0esr; comm/mailnews/base
 * (MsgIncomingServer, SmtpServer.sys.mjs, nsMsgAccountManager),
 * defaults/pref/mailnews.js, toolkit/profile/nsToolkitProfileService.cpp.
 */
#ifndef MM_AGENT_CLIENTS_THUNDERBIRD_H
#define MM_AGENT_CLIENTS_THUNDERBIRD_H

#include "agent/clients/adapter.h"
#include "agent/clients/client.h"

/* ---- preferences */

enum mm_tb_layer {     /* the later wins */
	MM_TB_DEFAULT, /* pref() and policies that only set a default */
	MM_TB_PREFS,   /* prefs.js */
	MM_TB_USERJS,  /* user.js */
	MM_TB_POLICY,  /* policies.json, written over the user's value at each start */
	MM_TB_LOCKED,
};

struct mm_tb_pref {
	const char *key;
	const char *value; /* NULL: a policy takes it away */
	char kind;         /* as in mm_item */
	enum mm_tb_layer layer;
	const char *path;
	int line; /* 0 where there is none (policies.json) */
};

struct mm_tb_prefs { /* those about mail, TLS and configuration by the machine */
	struct mm_arena *a;
	struct mm_tb_pref *v; /* sorted by key, one each: what is in effect */
	size_t n;
};

/* The configuration script that we set up for everybody (agent/routes). */
#define MM_TB_OWN_SCRIPT "mailmuster.cfg"

/* Read all layers. An absent prefs.js is empty; one with a syntax error is an
 * error, since Thunderbird would drop a part of it. `machine`: whether the
 * files below /etc count (not for snap and flatpak). Traps go to `view`, if any. */
int mm_tb_load(struct mm_reader *r, const char *prefs_path, bool machine, struct mm_tb_prefs *out,
    struct mm_view *view, struct mm_err *err);

const struct mm_tb_pref *mm_tb_find(const struct mm_tb_prefs *t, const char *key);
/* Index of the first whose key begins so, if any does: the others follow it,
 * and the caller compares. */
size_t mm_tb_first(const struct mm_tb_prefs *t, const char *prefix);
/* The value of a text preference, "" when it is not there or no text. */
const char *mm_tb_text(const struct mm_tb_prefs *t, const char *key);
const char *mm_tb_layer_name(enum mm_tb_layer l); /* "user.js"; for people */

/* ---- accounts */

struct mm_tb_account {
	const char *key;      /* account1 */
	const char *server;   /* server1 */
	const char *type;     /* imap, pop3, ... */
	const char *identity; /* the first, "" = none */
	const char *smtp;     /* the one in use for that identity, "" = none */
	int line;             /* where the account's server is named */
};

/* The mail accounts that Thunderbird would load, in order; traps as above. */
void mm_tb_accounts(const struct mm_tb_prefs *t, struct mm_tb_account **v, size_t *n, struct mm_view *view);
/* The next member of a comma-separated list of keys, or NULL; moves *p. */
const char *mm_tb_member(const char **p, struct mm_arena *a);

/* ---- settings */

enum mm_tb_unit { MM_TB_SERVER, MM_TB_IDENTITY, MM_TB_SMTP };

struct mm_tb_map {
	enum mm_setting s;
	enum mm_tb_unit unit;
	const char *name; /* hostname; "" ends the table */
	char kind;
};
extern const struct mm_tb_map mm_tb_map[]; /* all but the TLS floor, which belongs to no account */

#define MM_TB_TLS_MIN "security.tls.version.min"
#define MM_TB_TLS_DEPRECATED "security.tls.version.enable-deprecated" /* true: TLS 1.0 after all */

/* "mail.server.server1.hostname" */
const char *mm_tb_key(struct mm_arena *a, enum mm_tb_unit unit, const char *key, const char *name);
/* Preference -> our word; what has none is shown as it stands. *note is a
 * sentence for a person, or NULL. */
const char *mm_tb_to_word(enum mm_setting s, const char *value, struct mm_arena *a, const char **note);
/* Our word -> preference; NULL: there is none. */
const char *mm_tb_to_pref(enum mm_setting s, const char *word);
/* What counts where nothing is set: our word. `type` and `security` of the server. */
const char *mm_tb_default(enum mm_setting s, const char *type, const char *security);
const char *mm_tb_unsupported(enum mm_setting s, const char *value, const struct mm_values *all);

/* ---- folder roles */

/* One setting of four; NULL: nothing is set, or nothing that names a folder. A
 * folder elsewhere is given as it stands. *p: the preference; *off: one that
 * switches it off, or NULL. */
const char *mm_tb_folder(const struct mm_tb_prefs *t, const struct mm_tb_account *acc, enum mm_setting s,
    const struct mm_tb_pref **p, const struct mm_tb_pref **off);
enum mm_tb_unit mm_tb_folder_unit(enum mm_setting s);
/* Edits for those that are wanted; with `whole` (a new server or identity) for
 * those of the whole account. Where the server's name or the user changes, addresses
 * of folders on it change with them. `acc`: as it is, or NULL. */
void mm_tb_write_folders(const struct mm_tb_prefs *t, const struct mm_tb_account *acc,
    const struct mm_change *ch, const char *server, const char *identity, struct mm_edit_list *l);

/* ---- profiles */

struct mm_tb_profile {       /* mm_place.priv */
	const char *program; /* for people: what starts from this root */
	const char *root;    /* ~/.thunderbird: holds profiles.ini */
	const char *dir;     /* as profiles.ini names it: relative to root, or absolute */
	bool machine;        /* files below /etc count for it */
	bool suite;          /* SeaMonkey */
	bool by_us;          /* we made it, or are about to */
	const char *install; /* name of the section that is to point to it, when made by us */
};

int mm_tb_find_places(
    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err);
/* Edits of profiles.ini so that a plain start takes the profile; what is
 * there is kept. For a profile made by us only. */
int mm_tb_list_profile(
    struct mm_reader *r, const struct mm_tb_profile *p, struct mm_edits *out, struct mm_err *err);
/* "InstallFDC34C9F024745EB" for /usr/lib/thunderbird. */
const char *mm_tb_install_section(struct mm_arena *a, const char *install_dir);

/* Silent traps of the accounts in `view`, which are those of `accounts` in
 * the same order, and of the profile's other files. */
void mm_tb_look_for_traps(struct mm_reader *r, const char *prefs_path, const struct mm_tb_prefs *t,
    const struct mm_tb_account *accounts, struct mm_view *view);

int mm_tb_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err);

#endif
