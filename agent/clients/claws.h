/*
 * Blocks of accountrc as Claws Mail and Sylpheed understand them: what both
 * halves of the adapter (claws.c, claws_read.c) know.
 */
#ifndef MM_AGENT_CLIENTS_CLAWS_H
#define MM_AGENT_CLIENTS_CLAWS_H

#include "agent/clients/client.h"

#define MM_CLAWS_PREFIX "Account: "

struct mm_claws_word { /* a number in the file and what it means */
	const char *number, *word;
	bool ours; /* also written; the others are only understood */
};

struct mm_claws_dialect {
	const char *label, *comm, *program, *dir;
	bool nocase;       /* keys in any case */
	bool versions;     /* config_version, and defaults that depend on it */
	bool mail_command; /* may send through a program instead */
	bool clear_password;
	bool gnutls; /* has a key for the TLS priorities */
	bool client_cert;
	const char *proxy;      /* the switch of one */
	const char *trusted;    /* NULL, or a file beside accountrc with what was accepted by hand */
	const char *unverified; /* NULL, or the preference (clawsrc) by which nothing is verified */
	const char *certs; /* NULL, or a folder beside accountrc with each certificate that was accepted */
	const char *pop3, *pop3_too, *imap; /* numbers of `protocol` */
	const char *pop_auth_key;           /* switches APOP or OAuth2 on */
	const struct mm_claws_word *imap_auth, *smtp_auth;
};

extern const struct mm_claws_dialect mm_claws, mm_sylpheed;

struct mm_claws_block { /* one account */
	const struct mm_claws_dialect *d;
	const struct mm_doc *doc;
	const char *section, *path;
	bool imap, incoming;
	int version; /* config_version; 0 = not said */
};

/* A folder role: its switch and its key, or NULL. */
struct mm_claws_folder {
	enum mm_setting s;
	const char *on, *key;
};
extern const struct mm_claws_folder mm_claws_folders[]; /* ends with MM_SET_NONE */
/* "#imap/LABEL/": what the program puts before the path of a folder. */
const char *mm_claws_folder_root(const char *label, struct mm_arena *a);

/* A block of a parsed file, which outlives it. */
struct mm_claws_block mm_claws_open(
    const struct mm_claws_dialect *d, const struct mm_doc *doc, const char *section, const char *path);
/* The item that counts, or NULL. */
const struct mm_item *mm_claws_item(const struct mm_claws_block *b, const char *key);
/* Its value; NULL when empty or absent. */
const char *mm_claws_text(const struct mm_claws_block *b, const char *key);
/* An absent file is an empty one. */
int mm_claws_load(struct mm_reader *r, const char *path, struct mm_doc *doc, struct mm_err *err);
int mm_claws_read(struct mm_reader *r, const struct mm_claws_dialect *d, const struct mm_place *p,
    struct mm_view *out, struct mm_err *err);

/* A trap for each stored certificate of an account's server that signs itself. */
void mm_claws_certs(struct mm_reader *r, const char *dir, struct mm_view *out);

#endif
