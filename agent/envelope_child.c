#include "agent/envelope_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "schemas/proto.h"
#include "schemas/rotation.h"

#define CHILD_MS 10000
#define NOBODY 65534

enum { PART_TYPE = MM_FT_LOCAL + 16, PART_PAYLOAD, PART_SIGNATURE, PART_ROTATION, PART_ERROR, PART_END };

/* ---- in the child */

static int give_up_rights(struct mm_err *err)
{
	if (geteuid() == 0 && mm_drop_to_user(NULL, NOBODY, NOBODY, err) != 0)
		return -1;
	return mm_sandbox_enter(MM_SANDBOX_COMPUTE, NULL, err);
}

static void send_raw(struct mm_buf *out, const struct mm_envelope_raw *raw)
{
	mm_frame_put(out, PART_TYPE, mm_buf_str(&raw->type), raw->type.len);
	mm_frame_put(out, PART_PAYLOAD, mm_buf_str(&raw->payload), raw->payload.len);
	for (size_t i = 0; i < raw->n; i++) {
		char both[MM_SHA256_HEX - 1 + sizeof(raw->sigs[i].sig)];
		memcpy(both, raw->sigs[i].keyid, MM_SHA256_HEX - 1);
		memcpy(both + MM_SHA256_HEX - 1, raw->sigs[i].sig, sizeof(raw->sigs[i].sig));
		mm_frame_put(out, PART_SIGNATURE, both, sizeof(both));
	}
	for (size_t i = 0; i < raw->n_rotations; i++)
		mm_frame_put(out, PART_ROTATION, &raw->rotations[i], sizeof(raw->rotations[i]));
	mm_frame_put(out, PART_END, "", 0);
}

static _Noreturn void child(int fd, const char *json, size_t n)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_envelope_raw raw = {.n = 0};
	struct mm_buf out = MM_BUF_INIT(4 * (size_t)MM_FRAME_MAX);
	if (give_up_rights(&err) != 0 || mm_envelope_decode(json, n, &raw, &err) != 0)
		mm_frame_put(&out, PART_ERROR, err.text, strlen(err.text));
	else
		send_raw(&out, &raw);
	_exit(mm_write_all(fd, mm_buf_str(&out), out.len, &err) == 0 ? 0 : 1);
}

/* ---- in the parent */

static int take_signature(struct mm_envelope_raw *raw, const struct mm_frame *f, struct mm_err *err)
{
	if (raw->n == MM_SIGNATURES_MAX || f->len != MM_SHA256_HEX - 1 + sizeof(raw->sigs[0].sig))
		return mm_err_set(err, MM_EX_DATAERR, "envelope: the decoder said nonsense");
	memcpy(raw->sigs[raw->n].keyid, f->body, MM_SHA256_HEX - 1);
	raw->sigs[raw->n].keyid[MM_SHA256_HEX - 1] = '\0';
	memcpy(raw->sigs[raw->n].sig, f->body + MM_SHA256_HEX - 1, sizeof(raw->sigs[0].sig));
	raw->n++;
	return 0;
}

static int take_rotation(struct mm_envelope_raw *raw, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_rotation r;
	if (raw->n_rotations == MM_ROTATIONS_MAX || f->len != sizeof(r))
		return mm_err_set(err, MM_EX_DATAERR, "envelope: the decoder said nonsense");
	memcpy(&r, f->body, sizeof(r));
	if (!mm_rotation_well_formed(&r))
		return mm_err_set(err, MM_EX_DATAERR, "envelope: the decoder said nonsense");
	raw->rotations = mm_xrealloc(raw->rotations, raw->n_rotations + 1, sizeof(*raw->rotations));
	raw->rotations[raw->n_rotations++] = r;
	return 0;
}

/* 1: more to come, 0: complete, -1: trouble. */
static int take(struct mm_envelope_raw *raw, const struct mm_frame *f, struct mm_err *err)
{
	switch (f->type) {
	case PART_TYPE:
		mm_buf_add(&raw->type, f->body, f->len);
		return 1;
	case PART_PAYLOAD:
		mm_buf_add(&raw->payload, f->body, f->len);
		return 1;
	case PART_SIGNATURE:
		return take_signature(raw, f, err) == 0 ? 1 : -1;
	case PART_ROTATION:
		return take_rotation(raw, f, err) == 0 ? 1 : -1;
	case PART_ERROR:
		return mm_err_set(err, MM_EX_DATAERR, "%.*s", (int)f->len, f->body);
	case PART_END:
		return 0;
	default:
		return mm_err_set(err, MM_EX_DATAERR, "envelope: the decoder said nonsense");
	}
}

static int receive(int fd, struct mm_envelope_raw *raw, struct mm_err *err)
{
	struct mm_frame_decoder d;
	struct mm_frame f;
	int rc = 1;
	mm_frame_decoder_init(&d, false);
	while (rc > 0) {
		int got = mm_frame_read_fd(&d, fd, CHILD_MS, &f, err);
		if (got == 0)
			got = mm_err_set(err, MM_EX_DATAERR, "envelope: could not be decoded");
		rc = got > 0 ? take(raw, &f, err) : -1;
	}
	mm_frame_decoder_free(&d);
	return rc;
}

int mm_envelope_decode_apart(const char *json, size_t n, struct mm_envelope_raw *out, struct mm_err *err)
{
	struct mm_envelope_raw raw = {
	    .type = MM_BUF_INIT(MM_FRAME_MAX), .payload = MM_BUF_INIT(MM_FRAME_MAX)};
	int p[2];
	if (pipe2(p, O_CLOEXEC) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a pipe");
	pid_t pid = fork();
	if (pid == 0)
		child(p[1], json, n);
	close(p[1]);
	int rc = pid > 0 ? receive(p[0], &raw, err) : mm_err_sys(err, MM_EX_FAILED, "cannot start a process");
	close(p[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	if (rc == 0)
		*out = raw;
	else
		mm_envelope_raw_free(&raw);
	return rc;
}
