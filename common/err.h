/*
 * Errors: how a library function says what went wrong.
 *
 * Every function that can fail because of input or of the system returns 0
 * or -1 and takes a `struct mm_err *` as its last parameter. The struct is
 * written only on failure, and the text is complete enough to be printed as
 * it stands: what, where (file:line where there is one), what to do. Library
 * code neither prints nor exits; main() and the commands print once.
 *
 * Bugs are asserted, running out of memory ends the program (mm_oom()).
 */
#ifndef MM_COMMON_ERR_H
#define MM_COMMON_ERR_H

#include <stdarg.h>

/* What a program returns to the shell; the table stands in DESIGN.md and in
 * the man pages. DIFF, HOSTS_FAILED, UNREACHABLE and HALTED combine. */
enum mm_exit {
	MM_EX_OK = 0,
	MM_EX_FAILED = 1,
	MM_EX_DIFF = 2,
	MM_EX_HOSTS_FAILED = 4,
	MM_EX_UNREACHABLE = 8,
	MM_EX_HALTED = 16,
	MM_EX_USAGE = 64,
	MM_EX_DATAERR = 65,
	MM_EX_NOPERM = 77,
	MM_EX_INTERRUPTED = 130,
};

#define MM_ERR_TEXT_MAX 2048

struct mm_err {
	int code;                   /* the enum mm_exit that this error leads to */
	char text[MM_ERR_TEXT_MAX]; /* one line, no newline; overlong text ends in "..." */
};

#define MM_ERR_NONE ((struct mm_err){.code = 0, .text = ""})

/* Set the error; control characters in the result are replaced by '?', so
 * that no input can forge a line or drive a terminal. Always returns -1, so
 * that `return mm_err_set(...)` reads well. `err` may be NULL. */
int mm_err_set(struct mm_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int mm_err_vset(struct mm_err *err, int code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* The same, with ": " and the text of errno appended. errno is preserved. */
int mm_err_sys(struct mm_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "prefix: " in front of an error that is already set. Returns -1. */
int mm_err_prefix(struct mm_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The result is always -1; said like this, the compilers and analysers know
 * it, too, and do not follow paths on which a failed call "succeeded". */
static inline int mm_err_failed(int rc)
{
	(void)rc;
	return -1;
}
#define mm_err_set(...) mm_err_failed(mm_err_set(__VA_ARGS__))
#define mm_err_sys(...) mm_err_failed(mm_err_sys(__VA_ARGS__))
#define mm_err_prefix(...) mm_err_failed(mm_err_prefix(__VA_ARGS__))

/* Out of memory: says so on stderr and ends the program with status 1. */
_Noreturn void mm_oom(void);

#endif
