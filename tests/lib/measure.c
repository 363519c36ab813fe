/*
 * measure UID PROGRAM [ARGUMENT...]: run a program (as user UID; 0 = as we
 * are) and print its CPU time in microseconds and its largest resident size
 * in KiB. Small itself: the kernel counts what stood there before exec, too.
 */
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"

int main(int argc, char **argv)
{
	struct rusage use;
	int64_t uid;
	int status = 0;
	if (argc < 3 || mm_parse_int(argv[1], 0, UINT32_MAX - 1, &uid) != 0)
		return 64;
	pid_t pid = fork();
	if (pid == 0) {
		if (uid > 0 &&
		    (setgroups(0, NULL) != 0 || setgid((gid_t)uid) != 0 || setuid((uid_t)uid) != 0))
			_exit(126);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid || !WIFEXITED(status))
		return 1;
	long us = (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec +
		  use.ru_stime.tv_usec;
	printf("%d %ld %ld\n", WEXITSTATUS(status), us, use.ru_maxrss);
	return 0;
}
