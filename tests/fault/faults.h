/*
 * Faults at a chosen system call. The calls listed in CMakeLists.txt are
 * wrapped by the linker; while a fault is armed each of them is counted.
 */
#ifndef MM_TESTS_FAULT_FAULTS_H
#define MM_TESTS_FAULT_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

enum mm_fault_kind {
	MM_FAULT_COUNT, /* only count */
	MM_FAULT_FAIL,  /* the call fails with `error`; a write is cut in half first */
	MM_FAULT_KILL,  /* SIGKILL instead of the call */
	MM_FAULT_HOOK,  /* `hook` runs before the call, which then goes on */
};

struct mm_fault {
	enum mm_fault_kind kind;
	size_t at;        /* which call, from 1; 0: the first one named `name` */
	const char *name; /* NULL: any */
	int error;
	void (*hook)(void);
};

void mm_fault_arm(const struct mm_fault *f);
/* Returns how many calls were made while armed. */
size_t mm_fault_disarm(void);
/* The calls since mm_fault_arm(), "openat write fsync ..."; valid until the next arming. */
const char *mm_fault_trace(void);

#endif
