/*
 * Files: opening what an outsider may have prepared, reading with a limit,
 * and replacing a file so that it is always the old one or the new one.
 *
 * Paths are resolved step by step from a directory descriptor. Foreign
 * files are opened O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC and must be regular.
 */
#ifndef MM_COMMON_FILE_H
#define MM_COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

/* Why a file could not be used; the caller turns it into a finding. */
enum mm_file_trouble {
	MM_FILE_OK = 0,
	MM_FILE_ABSENT, /* the file or a folder above it is not there */
	MM_FILE_OWNER,  /* belongs to somebody else */
	MM_FILE_TYPE,   /* not a regular file */
	MM_FILE_LINK,   /* a link that may not be followed: dangling, loop, or to a place outside the rules */
	MM_FILE_READONLY, /* file system or folder does not let us write */
	MM_FILE_TOO_BIG,
	MM_FILE_CHANGED, /* somebody wrote between our read and our write */
	MM_FILE_SYSTEM,  /* errno says */
};
const char *mm_file_trouble_word(enum mm_file_trouble t);

/* Where a path really leads: the folder (open descriptor) and the name in it. */
struct mm_place_fd {
	int dirfd; /* caller closes; -1 when not set */
	char name[256];
	char path[4096];   /* resolved, for messages */
	bool through_link; /* at least one symbolic link was followed */
	bool final_link;   /* the last component itself was a link */
};

/* Resolve `path` (absolute). Every symbolic link on the way below `base` is
 * followed by hand (at most 16) and only when the link itself and the final
 * regular file are owned by `uid`, or by root in a folder that only root can
 * write. `base` itself (the home) is taken as it is. The file need not exist
 * (trouble MM_FILE_ABSENT then comes from the stat, not from here) but its
 * folder must. */
int mm_file_resolve(const char *base, const char *path, uid_t uid, struct mm_place_fd *out,
    enum mm_file_trouble *why, struct mm_err *err);

/* May we believe a file or link with this fstat, in this folder, on behalf of
 * `uid`? It is the user's, or root's where only root can put things. */
bool mm_file_trusted(const struct stat *st, int dirfd, uid_t uid);
/* Open the regular file at a resolved place for reading; -1 on trouble. */
int mm_file_open_at(
    const struct mm_place_fd *at, struct stat *st, enum mm_file_trouble *why, struct mm_err *err);

/* Read a whole file of `uid` (or one of root's, as above), at most `max` bytes, appending to `out`. `st`
 * (may be NULL) receives the file's fstat. */
int mm_file_read(const char *base, const char *path, uid_t uid, size_t max, struct mm_buf *out,
    struct stat *st, enum mm_file_trouble *why, struct mm_err *err);

/* Read a file of our own (configuration, keys): plain path, O_NOFOLLOW,
 * regular, at most max bytes; must be owned by root or by the effective user,
 * not writable by everybody and, with `private`, have no permission for group
 * and others. */
int mm_file_read_own(const char *path, size_t max, bool private, struct mm_buf *out, struct mm_err *err);

enum mm_replaced { MM_KEPT, MM_CHANGED, MM_CREATED };

struct mm_replace_opts {
	mode_t create_mode;     /* for a new file, before no umask is applied; 0 = refuse to create */
	mode_t dir_mode;        /* for missing folders below base; 0 = refuse to create them */
	bool has_expect;        /* replace only if the file still has this content */
	char expect_sha256[65]; /* hex; "" = the file must not exist */
};

/* Replace the content of a file: temporary file beside it with the same
 * mode, owner, ACL and extended attributes, fsync, rename, fsync of the
 * folder. Equal content is left alone (MM_KEPT). Nothing is left behind on
 * failure; a crash leaves at worst a file named ".NAME.mailmuster.XXXXXX",
 * which the next replacement of the same file removes. */
int mm_replace(const char *base, const char *path, uid_t uid, const void *data, size_t len,
    const struct mm_replace_opts *opts, enum mm_replaced *done, enum mm_file_trouble *why,
    struct mm_err *err);

/* Remove a file if its content still has this SHA-256 (hex). Removing an
 * absent file is success. */
int mm_file_remove(const char *base, const char *path, uid_t uid, const char *expect_sha256,
    enum mm_file_trouble *why, struct mm_err *err);

/* mkdir -p for our own state folders; existing ones are left as they are but
 * must be folders owned by the effective user (or root). */
int mm_mkdirs(const char *path, mode_t mode, struct mm_err *err);
/* Write one of our own files atomically (mode exact). */
int mm_write_own(const char *path, const void *data, size_t len, mode_t mode, struct mm_err *err);
/* Take an exclusive lock on a file (created 0600); waits up to timeout_ms.
 * Returns the descriptor, which holds the lock until closed, or -1. */
int mm_lock_file(const char *path, int timeout_ms, struct mm_err *err);

#endif
