/*
 * One place of one client within a run: what was found, what is to be done
 * about each setting, and the attempt to do it in memory. Internal to
 * converge.
 */
#ifndef MM_AGENT_PLACE_H
#define MM_AGENT_PLACE_H

#include "agent/clients/overlay.h"
#include "agent/converge.h"
#include "agent/match.h"
#include "agent/routes/route.h"

struct mm_judged { /* one setting of one account */
	bool asked;
	const char *desired;
	const struct mm_seen *seen; /* as found; NULL = account not there */
	const char *found;
	enum mm_state state;
	enum mm_action action;
	bool write;
	bool unproven; /* something else wins: not demanded when reading back */
	const char *reason;
};

struct mm_todo { /* one account */
	struct mm_match m;
	struct mm_judged s[MM_SET_COUNT];
	bool absent; /* not there and not to be made: one finding for the whole */
	bool write;  /* something is to be written */
	bool failed; /* ... but cannot be; the settings say why */
	bool later;  /* ... only now */
	const char *key;
	const char *note; /* and costs: struct mm_edits */
	unsigned costs;
};

struct mm_removal { /* an account of ours that the policy no longer has */
	const char *account, *key;
	bool created;
	bool write;
	bool secret;      /* a password is among its former values, and not kept */
	bool released;    /* its former values may not come back: it stays as it is, and is ours no more */
	const char *fail; /* why not, or NULL */
	bool overdue;     /* it has been so for too long */
};

struct mm_place_run {
	struct mm_converge *c;
	const struct mm_client *client;
	const struct mm_place *place;
	struct mm_reader *reader;
	struct mm_reader *base;       /* the one beneath: files as they stand */
	const struct mm_route *route; /* of the system's files; NULL: a user's own */
	bool provided;                /* the system's files, as this user gets them: only looked at */
	bool named;                   /* the sheet names this client */
	bool may_create;              /* accounts may be added here */
	bool read_only;               /* not the place in use: only looked at */
	struct mm_view view;
	const struct mm_view *after; /* as it was read again after writing; NULL: nothing was written */
	bool *claimed;
	struct mm_todo *todo;
	size_t n;
	struct mm_removal *gone;
	size_t n_gone;
	struct mm_rows rows; /* of this place, as they will be */
	/* what the attempt produced */
	struct mm_overlay *overlay;
	struct mm_row did;     /* all edits of this attempt, unfolded */
	struct mm_need *needs; /* each once */
	size_t n_needs, cap_needs;
};

/* Compare: fills todo, gone, claimed. The view is read already. */
void mm_place_judge(struct mm_place_run *p);
/* Is there anything to write? */
bool mm_place_pending(const struct mm_place_run *p);
/* Without one of these an account would be another one, or a weaker one. */
bool mm_place_essential(enum mm_setting s);
/* Carry out in memory what is to be written, and read it back; accounts for
 * which that fails are marked and left out. */
void mm_place_attempt(struct mm_place_run *p);
/* What the edits need besides their files, each once. */
void mm_place_gather_needs(struct mm_place_run *p, const struct mm_edits *e);
/* Bring p->rows up to date with what is in effect. */
void mm_place_own(struct mm_place_run *p);

/* Is it what the system's files give to everybody, and no account of the user's own? */
bool mm_place_is_shared(const struct mm_place_run *p, const struct mm_seen_account *acc);

/* A setting was not written after all. */
void mm_place_fail(struct mm_place_run *p, enum mm_state state, const char *reason);

/* Note in the journal what had to be put off, and what no longer has to; what
 * was put off for longer than the host allows is an error from then on. */
void mm_place_put_off(struct mm_place_run *p);

/* Why what is seen may not be what the program will see. */
const char *mm_unsure_reason(struct mm_arena *a, const struct mm_seen *s);

/* The inverse of one edit. `undone`: nothing of it is left; else the value is
 * another by now, and stays, or what stood there is not kept. */
int mm_undo_edit(struct mm_overlay *o, struct mm_arena *a, const struct mm_done_edit *d, bool whole,
    bool *undone, struct mm_err *err);
/* The inverse of a row's edits, in the overlay. Of an adopted account only
 * what still has the value that we wrote. */
int mm_undo_row(
    struct mm_overlay *o, struct mm_arena *a, const struct mm_row *row, bool whole, struct mm_err *err);

/* Write the overlay's files: generation, intent, files, journal. `why` says
 * what stood in the way of a file. On failure everything is as before. */
int mm_commit(struct mm_place_run *p, enum mm_file_trouble *why, struct mm_err *err);

#endif
