/*
 * Functions that this project does not use; every .c file is compiled with
 * this header in front (-include), so that a use does not compile.
 */
#ifndef MM_COMMON_BANNED_H
#define MM_COMMON_BANNED_H

/* The system headers that declare them come first: poisoning a name before
 * its declaration would break the header itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#undef alloca /* a macro in glibc; poisoning that is a warning */
/* With _FORTIFY_SOURCE glibc makes macros of some of them. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok
#pragma GCC poison atoi atol atoll atof sscanf gets alloca mktemp system popen
#pragma GCC poison strtol strtoll

#endif
