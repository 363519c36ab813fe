/*
 * The reader that adapters get: the real file system, as the user.
 *
 * Files below the home are read by the rules of common/file.h as the user's;
 * everything else (system-wide configs) must belong to root, or to the user.
 * The environment is known only in the user's own session.
 */
#ifndef MM_AGENT_READER_H
#define MM_AGENT_READER_H

#include <sys/stat.h>

#include "agent/clients/client.h"

struct mm_identity {
	const char *login;
	uid_t uid;
	gid_t gid;
	const char *home; /* absolute, no final slash */
	bool session;     /* we run in the user's own session: the environment is the user's */
};

/* Lives in `a`. */
struct mm_reader *mm_reader_new(struct mm_arena *a, const struct mm_identity *who);
/* Why the last file() of this reader failed; MM_FILE_OK when none did since
 * the last call of this function. */
enum mm_file_trouble mm_reader_trouble(struct mm_reader *r);
/* The processes for which locked() or running() said yes since the last
 * mm_reader_forget(); 0 stands for one whose number is not known. */
const pid_t *mm_reader_met(struct mm_reader *r, size_t *n);
void mm_reader_forget(struct mm_reader *r);
/* What a file was that this reader has read; false: none of that name. */
bool mm_reader_stat(struct mm_reader *r, const char *path, struct stat *out);
/* A file's text for mm_journal_recover(); ctx is the reader. */
int mm_reader_text(void *ctx, const char *path, struct mm_text *text);

#endif
