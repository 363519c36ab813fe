/*
 * What comes in on standard input and on descriptor 3: task lines up to the
 * first zero byte, records with secrets after it. Oracles: what is refused
 * says why; what is taken is whole, and every secret that a task names is there.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/probe/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int filed(const uint8_t *p, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	assert(fd >= 0);
	assert(write(fd, p, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void check(struct mm_input *in)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct mm_probe_task *t = &in->tasks[i];
		assert(t->host != NULL && t->port >= 1 && t->port <= 65535);
		assert((t->secret >= 0) == (mm_input_secret(in, t) != NULL));
		assert((t->certificate >= 0) == (mm_input_certificate(in, t) != NULL));
	}
	for (size_t i = 0; i < in->n; i++)
		mm_input_release(in, &in->tasks[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t n = zero != NULL ? (size_t)(zero - data) : size;
	size_t after = zero != NULL ? n + 1 : n;
	int tasks = filed(data, n), secrets = filed(data + after, size - after);
	struct mm_arena *mem = mm_arena_new();
	struct mm_input in;
	struct mm_err err = MM_ERR_NONE;
	if (mm_input_read(tasks, secrets, mem, &in, &err) == 0) {
		check(&in);
		mm_input_free(&in);
	} else {
		assert(err.text[0] != '\0' && err.code != 0);
	}
	mm_arena_free(mem);
	close(tasks);
	close(secrets);
	return 0;
}
