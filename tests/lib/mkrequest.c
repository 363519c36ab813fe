/*
 * For tests of the agent: what needs the project's own signing code.
 *
 *   mkrequest keygen PRIVATE PUBLIC     a new key pair, PEM
 *   mkrequest sign PRIVATE [TYPE]       payload on standard input, envelope on standard output
 */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/frame.h"
#include "schemas/request.h"
#include "schemas/signing.h"

static int keygen(const char *private, const char *public, struct mm_err *err)
{
	struct mm_key *k;
	struct mm_buf pem = MM_BUF_INIT(4096);
	if (mm_key_generate(&k, err) != 0)
		return -1;
	int rc = mm_key_save_private(k, private, err);
	if (rc == 0)
		rc = mm_key_public_pem(k, &pem, err);
	if (rc == 0)
		rc = mm_write_own(public, mm_buf_str(&pem), pem.len, 0644, err);
	mm_buf_free(&pem);
	mm_key_free(k);
	return rc;
}

static int sign(const char *private, const char *type, struct mm_err *err)
{
	struct mm_key *k;
	struct mm_buf in = MM_BUF_INIT(MM_FRAME_MAX), out = MM_BUF_INIT(2 * (size_t)MM_FRAME_MAX);
	char chunk[8192];
	if (mm_key_load_private(private, &k, err) != 0)
		return -1;
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), stdin)) > 0;)
		mm_buf_add(&in, chunk, n);
	int rc = mm_envelope_sign(type, mm_buf_str(&in), in.len, k, &out, err);
	if (rc == 0 && fwrite(mm_buf_str(&out), 1, out.len, stdout) != out.len)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot write");
	mm_buf_free(&in);
	mm_buf_free(&out);
	mm_key_free(k);
	return rc;
}

int main(int argc, char **argv)
{
	struct mm_err err = MM_ERR_NONE;
	int rc;
	if (argc == 4 && strcmp(argv[1], "keygen") == 0)
		rc = keygen(argv[2], argv[3], &err);
	else if ((argc == 3 || argc == 4) && strcmp(argv[1], "sign") == 0)
		rc = sign(argv[2], argc == 4 ? argv[3] : MM_REQUEST_TYPE, &err);
	else
		rc = mm_err_set(
		    &err, MM_EX_USAGE, "usage: mkrequest keygen PRIVATE PUBLIC | sign PRIVATE [TYPE]");
	if (rc != 0)
		fprintf(stderr, "mkrequest: %s\n", err.text);
	return rc != 0;
}
