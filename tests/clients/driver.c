/*
 * Runs one adapter over a folder that plays the root, without the agent:
 *
 *	clients_driver show  ROOT LOGIN HOME CLIENT
 *	clients_driver facts ROOT LOGIN HOME CLIENT
 *	clients_driver apply ROOT LOGIN HOME CLIENT SHEET.json   writes the files
 *	clients_driver undo  ROOT LOGIN HOME CLIENT SHEET.json   applies, takes back, writes nothing;
 *	                                                         fails when bytes differ afterwards
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"
#include "tests/lib/clientfacts.h"
#include "tests/lib/clientrun.h"
#include "tests/lib/rootreader.h"

static int fail(const char *text)
{
	fprintf(stderr, "clients_driver: %s\n", text);
	return 1;
}

static void make_folders(char *path)
{
	for (char *p = path + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, 0700);
			*p = '/';
		}
}

static int write_file(struct mm_arena *a, const char *root, const struct mm_overlay_file *f)
{
	char *path = mm_arena_printf(a, "%s%s", root, f->path);
	FILE *out;
	size_t done;

	make_folders(path);
	out = fopen(path, "wb");
	if (out == NULL)
		return -1;
	done = fwrite(f->after.p, 1, f->after.n, out);
	if (f->before.p == NULL)
		chmod(path, f->create_mode);
	return fclose(out) == 0 && done == f->after.n ? 0 : -1;
}

static int write_all(struct mm_client_run *run, const char *root)
{
	size_t n;
	const struct mm_overlay_file *f = mm_overlay_files(run->o, &n);

	for (size_t i = 0; i < n; i++) {
		if (write_file(run->r->arena, root, &f[i]) != 0)
			return fail(strerror(errno));
		printf("%s\n", f[i].path);
	}
	return 0;
}

static int undo(struct mm_client_run *run)
{
	struct mm_err err = MM_ERR_NONE;
	const struct mm_overlay_file *f;
	size_t n;

	if (mm_client_undo(run, &err) != 0)
		return fail(err.text);
	f = mm_overlay_files(run->o, &n);
	for (size_t i = 0; i < n; i++)
		if (f[i].before.p != NULL || f[i].after.n != 0)
			return fail(f[i].path);
	return 0;
}

static int run(struct mm_arena *a, char **argv, struct mm_reader *r, const struct mm_client *cl)
{
	struct mm_client_run job;
	struct mm_err err = MM_ERR_NONE;
	struct mm_sheet sheet;
	struct mm_text text;
	const char *why;

	if (mm_slurp(argv[6], a, &text) != 1)
		return fail(argv[6]);
	if (mm_sheet_decode(text.p, text.n, a, &sheet, &err) != 0 ||
	    mm_client_run(&job, r, cl, &sheet, &err) != 0)
		return fail(err.text);
	if (job.place == NULL)
		return fail("this client is not here");
	why = mm_client_unproven(&job);
	if (why != NULL)
		return fail(why);
	return strcmp(argv[1], "undo") == 0 ? undo(&job) : write_all(&job, argv[2]);
}

int main(int argc, char **argv)
{
	struct mm_arena *a = mm_arena_new();
	const struct mm_client *cl = argc > 5 ? mm_client_by_name(argv[5]) : NULL;
	struct mm_buf out = MM_BUF_INIT(1u << 20);
	struct mm_reader *r;
	int rc;

	if (cl == NULL || (argc == 6) != (strcmp(argv[1], "show") == 0 || strcmp(argv[1], "facts") == 0) ||
	    argc > 7)
		return fail("show|facts|apply|undo ROOT LOGIN HOME CLIENT [SHEET]");
	r = mm_rootreader_new(a, argv[2], argv[3], argv[4]);
	if (argc == 6) {
		(strcmp(argv[1], "show") == 0 ? mm_client_show : mm_client_show_facts)(r, cl, &out);
		fputs(mm_buf_str(&out), stdout);
		rc = 0;
	} else {
		rc = run(a, argv, r, cl);
	}
	mm_buf_free(&out);
	mm_arena_free(a);
	return rc;
}
