/*
 * Client adapters: what a mail program's files are and which key means what.
 *
 * An adapter is a `static const struct mm_client` in its own module and one
 * line in the table in clients.c. It opens nothing, starts nothing, and
 * writes nothing: it gets a reader, and answers with edits and declared
 * needs that common code (agent/converge.c) carries out. Everything it
 * returns lives in the reader's arena.
 *
 * Adapters report *effective* values, as the program itself would see them
 * (includes, last wins, locked preferences); where something outside the
 * edited place wins, it says where.
 */
#ifndef MM_AGENT_CLIENTS_CLIENT_H
#define MM_AGENT_CLIENTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/formats/format.h"
#include "common/err.h"
#include "common/file.h"
#include "common/mem.h"
#include "schemas/settings.h"
#include "schemas/sheet.h"

/* What an adapter may know of the workstation. Implemented over the real
 * file system by the agent's worker, over a folder or memory by tests, and
 * as an overlay of edited texts for reading back before anything is written. */
struct mm_reader {
	struct mm_arena *arena;
	const char *login;
	const char *home; /* absolute, no final slash */
	/* 1: read, *out lives in the arena; 0: not there; -1: *why and err. Paths are absolute. */
	int (*file)(struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why,
	    struct mm_err *err);
	/* Names in a folder, sorted, NULL-terminated; same return values. */
	int (*list)(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err);
	/* The *user's* environment as far as it is known, else NULL. */
	const char *(*env)(struct mm_reader *r, const char *name);
	/* Is this program installed (in the usual PATH)? */
	bool (*program)(struct mm_reader *r, const char *name);
	/* Is an fcntl write lock held on the file by somebody (F_GETLK)? */
	bool (*locked)(struct mm_reader *r, const char *path);
	/* Does the user run a process of this name (/proc/PID/comm, at most 15 bytes)? NULL: not known. */
	bool (*running)(struct mm_reader *r, const char *comm);
	void *ctx;
};

/* One configuration of a client: a Thunderbird profile, a muttrc, ... */
struct mm_place {
	const char *path;  /* the file that findings name; permanent as far as the client's own habits are */
	const char *label; /* "profile abcd.default-release", "" when there is only one */
	bool exists;       /* the user has it already */
	bool in_use;       /* the one a plain start of the program would take; others are only audited */
	const char *busy;  /* NULL, or why it cannot be edited now ("Thunderbird is running") */
	const char *lock;  /* NULL, or a file on which an fcntl write lock is held while editing (created by
			      the user, 0644) */
	const char *const *extra_dirs; /* NULL, or folders to create 0700 first, NULL-terminated */
	const void *priv;              /* the adapter's own */
};

/* One setting as the program sees it. */
struct mm_seen {
	const char
	    *value; /* canonical where possible, else as it stands; NULL = not set (and no default applies) */
	bool from_default; /* the program's built-in value; `path` is then NULL */
	const char *path;  /* where it stands */
	int line;
	const char *over_path; /* where something stands that wins over what we would write here, or NULL */
	int over_line;
	const char *over_by; /* "account-hook", "locked preference", ... */
	bool over_holds;     /* `value` is what stands there: as desired, it is compliant all the same */
	/* Where something stands that could win over `value` and cannot be seen without running the
	 * user's code (the output of a command that is read, keys that are typed), or NULL: `value` is
	 * then no more than a guess, and nobody may call it compliant. */
	const char *unsure_path;
	int unsure_line;
	const char *unsure_why; /* "the output of a command is read there" */
	bool unsure_open;       /* written by us, it would stand behind that, and be certain */
	const char *note;       /* anything a person should know, one sentence, or NULL */
};

/* What a trap is about, for those who judge without reading (agent/facts.h). */
enum mm_trap_kind {
	MM_TRAP_OTHER,         /* nothing of what follows: mail is deleted, a line that cannot be read ... */
	MM_TRAP_PASSWORD,      /* a password stands there: others may not read that file then */
	MM_TRAP_NO_VERIFY,     /* certificates are not verified */
	MM_TRAP_CHAIN_ONLY,    /* they are, but for the server's name */
	MM_TRAP_NO_DATES,      /* they are, but for their dates */
	MM_TRAP_EXCEPTION,     /* one that fails verification is taken: somebody accepted it by hand */
	MM_TRAP_CLEAR,         /* no encryption */
	MM_TRAP_OPPORTUNISTIC, /* none where the server offers none */
	MM_TRAP_KIND_COUNT
};
extern const char *const mm_trap_kind_names[MM_TRAP_KIND_COUNT]; /* "other", "password", "no-verify" ... */

struct mm_seen_account {
	const char *key; /* native name: "account1", "work"; stands in the journal */
	const char *label;
	bool has_incoming, has_outgoing;
	bool quiet; /* it may be no mail account at all: nobody is told of it unless it is the policy's */
	struct mm_seen s[MM_SET_COUNT];
	/* Of these only what may win (a program that makes the connection), or is not certain: about the
	 * verification of certificates, and about exceptions from it. What is known is said by traps. */
	struct mm_seen verify, exceptions;
};

struct mm_view {
	struct mm_seen_account *accounts;
	size_t n;
	/* Things that are wrong whatever the policy says (parse warnings, silent
	 * traps): reported as findings of their own. */
	struct mm_trap {
		const char *path;
		int line;
		const char *text; /* one sentence */
		enum mm_trap_kind kind;
		const char *key;      /* of the account that it is about; NULL: any of this place, "": none */
		const char *endpoint; /* MM_TRAP_EXCEPTION: "HOST:PORT", or NULL: of any server */
		bool quiet;           /* nobody is told, but for the facts */
	} * traps;
	size_t n_traps;
};

enum mm_change_kind {
	MM_CHANGE_ADD,    /* a new native account for `account` */
	MM_CHANGE_SET,    /* set the named settings of native account `key` */
	MM_CHANGE_REMOVE, /* the journal's inverse edits are made by common code; answer with what
			   * else must go (lists, defaults that would dangle, keys the program added
			   * to an account that was ours) */
};

struct mm_change {
	enum mm_change_kind kind;
	const char *account; /* policy's name */
	const char *label;
	const char *key;              /* native; NULL for ADD */
	bool created;                 /* REMOVE: the native account was created by us (not adopted) */
	const struct mm_values *want; /* ADD, SET: canonical; NULL members are left alone */
	const struct mm_values
	    *full;    /* ADD, SET: the whole resolved account, for keys that join several settings */
	size_t index; /* position of the account in the sheet; 0 is the user's default account */
};

struct mm_file_edit { /* all edits of one file */
	const char *path;
	const struct mm_format *format;
	struct mm_edit *edits;
	size_t n;
	mode_t create_mode; /* for a file that is not there yet; 0 = it must exist */
};

/* What a program of the session needs so as to take up a change while it
 * runs. Met over the user's session bus once the files are written, and only
 * where the service runs; nothing is started that did not. */
struct mm_need {
	enum mm_need_kind {
		MM_NEED_CALL,    /* a method */
		MM_NEED_RESTART, /* the owner of the name is ended, and started anew by the bus */
	} kind;
	const char *service;                   /* name on the bus */
	const char *program;                   /* RESTART: the owner's name in /proc/PID/comm */
	const char *path, *interface, *method; /* CALL */
	const char *arg;                       /* CALL: a string, or NULL */
	const char *failed;                    /* for a person, where that did not work: one sentence */
};

struct mm_edits {
	struct mm_file_edit *files;
	size_t n;
	const char *key;  /* ADD: the native name chosen */
	const char *note; /* for a person: "the user will be asked for the password again", or NULL */
	unsigned costs;   /* MM_COST_... (schemas/state.h) */
	const struct mm_need *needs;
	size_t n_needs;
	const char *later; /* beside an error: it is put off, because a program is running that would
			      lose the change, as this says */
};

/* The answer of unsupported() for what is no setting of this client at all
 * (the password command of a program that keeps passwords itself): no
 * finding, and the account can be compliant without it. Not for promises
 * that the policy makes and the client does not keep. */
extern const char mm_client_not_its_business[];
#define MM_CLIENT_NOT_ITS_BUSINESS mm_client_not_its_business

#define MM_EVIDENCE_PASSWORD 0x1u   /* passwords in clear */
#define MM_EVIDENCE_VERIFY 0x2u     /* how certificates are verified; it does by itself */
#define MM_EVIDENCE_EXCEPTIONS 0x4u /* certificates that were accepted by hand; or it keeps none */
#define MM_EVIDENCE_ALL 0x7u

/* Whose TLS a program uses, as Debian packages it (agent/clients/tlsfloor.h). */
enum mm_tls_library {
	MM_TLS_OWN,     /* its own, or it sets the lowest version itself whatever the system says */
	MM_TLS_GNUTLS,  /* GnuTLS */
	MM_TLS_GIO,     /* GnuTLS, through GLib's networking */
	MM_TLS_OPENSSL, /* OpenSSL, whose lowest version the program only raises */
	MM_TLS_QT,      /* OpenSSL, through Qt */
};

struct mm_client {
	const char *name;            /* in policy, findings, journal: "thunderbird" */
	const char *label;           /* "Thunderbird" */
	const char *const *programs; /* executables, NULL-terminated */
	const char *package;         /* Debian's name; NULL: that of the first program */
	bool incoming, outgoing;     /* which side it has at all */
	/* MM_EVIDENCE_...: where the view has no such trap, there is no such thing, since the adapter
	 * looks at every place where it could be said. */
	unsigned evidence;
	enum mm_tls_library tls;
	/* NULL when the client can express this value, else one sentence why not, or
	 * MM_CLIENT_NOT_ITS_BUSINESS. `all` is the whole account. Not asked about: a side that the
	 * client does not have at all, and a value that is in effect already. */
	const char *(*unsupported)(enum mm_setting s, const char *value, const struct mm_values *all);
	/* The places of this user, the one in use first. With `create`, one place with exists = false
	 * is offered when there is none (and the program is installed). */
	int (*find)(
	    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err);
	int (*read)(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err);
	/* An error with code MM_EX_DIFF: this client cannot hold it here (unsupported). */
	int (*change)(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
	    const struct mm_change *c, struct mm_edits *out, struct mm_err *err);
};

/* unsupported() of this client, behind what holds for all of them: folders
 * are no business of a program that only fetches or only sends, and POP3 has
 * none. */
const char *mm_client_cannot(
    const struct mm_client *cl, enum mm_setting s, const char *value, const struct mm_values *all);

extern const struct mm_client *const mm_clients[]; /* NULL-terminated */
const struct mm_client *mm_client_by_name(const char *name);
const char *const *mm_client_names(void); /* NULL-terminated */

#endif
