/*
 * The golden folders: tests/clients/CLIENT/CASE/
 *
 *	before/        the root of a file system, home /home/alice
 *	settings.json  a sheet; absent: only `seen` is looked at
 *	after/         files that are different afterwards, and only those
 *	facts          what is known beside the settings (agent/facts.h), a line for each (optional)
 *	seen           what the adapter reads before, as clients_driver show prints it (optional)
 *	error          the error, when it must be refused
 *
 * Beside the bytes: reading back gives what was wanted, doing it twice is
 * doing it once, and taking it back gives the bytes from before.
 *
 * "routes" instead of clients: tests/routes/ROUTE/CASE/, the same for the
 * system's files; settings.json is then the system's sheet.
 *
 * With MM_BLESS=1 in the environment the expected files are written.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/routes/route.h"
#include "common/text.h"
#include "tests/lib/clientfacts.h"
#include "tests/lib/clientrun.h"
#include "tests/lib/rootreader.h"

struct test_case {
	struct mm_arena *a;
	const char *dir;
	const struct mm_client *client;
	const struct mm_route *route; /* of the system's files, or NULL */
	unsigned failures;
	bool bless;
};

static void complain(struct test_case *t, const char *what, const char *detail)
{
	printf("FAILED %s: %s: %s\n", t->dir, what, detail);
	t->failures++;
}

static const char *in_case(const struct test_case *t, const char *name)
{
	return mm_arena_printf(t->a, "%s/%s", t->dir, name);
}

static void store(struct test_case *t, const char *name, struct mm_text text)
{
	char *path = mm_arena_strdup(t->a, in_case(t, name));
	FILE *f;

	for (char *p = path + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, 0755);
			*p = '/';
		}
	f = fopen(path, "wb");
	if (f == NULL || fwrite(text.p, 1, text.n, f) != text.n || fclose(f) != 0)
		complain(t, "cannot write", path);
}

static void expect(struct test_case *t, const char *name, struct mm_text got)
{
	struct mm_text want = {.p = "", .n = 0};

	if (t->bless) {
		store(t, name, got);
		return;
	}
	if (mm_slurp(in_case(t, name), t->a, &want) != 1)
		complain(t, name, "is not expected");
	else if (want.n != got.n || memcmp(want.p, got.p, got.n) != 0)
		complain(t, name, mm_arena_printf(t->a, "differs; got:\n%.*s", (int)got.n, got.p));
}

static struct mm_text as_text(const char *s)
{
	return (struct mm_text){.p = s, .n = strlen(s)};
}

static unsigned count_files(struct test_case *t, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' || (!mm_streq(e->d_name, ".") && !mm_streq(e->d_name, ".."))) {
			struct stat st;
			const char *path = mm_arena_printf(t->a, "%s/%s", dir, e->d_name);

			if (stat(path, &st) == 0)
				n += S_ISDIR(st.st_mode) ? count_files(t, path) : 1;
		}
	if (d != NULL)
		closedir(d);
	return n;
}

static struct mm_text as_written(struct test_case *t, const struct mm_overlay_file *f)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_text out = f->after;

	if (t->route != NULL && mm_route_encode(t->route, t->a, f->path, f->after, &out, &err) != 0)
		complain(t, f->path, err.text);
	return out;
}

static void check_files(struct test_case *t, const struct mm_client_run *run)
{
	size_t n;
	const struct mm_overlay_file *f = mm_overlay_files(run->o, &n);

	for (size_t i = 0; i < n; i++)
		expect(t, mm_arena_printf(t->a, "after%s", f[i].path), as_written(t, &f[i]));
	if (!t->bless && count_files(t, in_case(t, "after")) != n)
		complain(t, "after", "names other files than those that were changed");
}

/* The same sheet on what came out of it: nothing to do. */
static void check_again(struct test_case *t, struct mm_client_run *run, const struct mm_sheet *sheet)
{
	struct mm_client_run second;
	struct mm_err err = MM_ERR_NONE;
	size_t n;

	if (mm_client_run(&second, mm_overlay_reader(run->o), t->client, sheet, &err) != 0) {
		complain(t, "a second time", err.text);
		return;
	}
	mm_overlay_files(second.o, &n);
	if (n != 0)
		complain(t, "a second time", "bytes changed");
}

static void check_undo(struct test_case *t, struct mm_client_run *run)
{
	struct mm_err err = MM_ERR_NONE;
	const struct mm_overlay_file *f;
	size_t n;

	if (mm_client_undo(run, &err) != 0) {
		complain(t, "taking it back", err.text);
		return;
	}
	f = mm_overlay_files(run->o, &n);
	for (size_t i = 0; i < n; i++)
		if (f[i].before.p != NULL || f[i].after.n != 0)
			complain(t, "taking it back leaves",
			    mm_arena_printf(t->a, "%s:\n%.*s", f[i].path, (int)f[i].after.n, f[i].after.p));
}

static void check_change(struct test_case *t, struct mm_reader *r, struct mm_text json)
{
	struct mm_client_run run;
	struct mm_err err = MM_ERR_NONE;
	struct mm_sheet sheet;
	const char *why;

	if (mm_sheet_decode(json.p, json.n, t->a, &sheet, &err) != 0) {
		complain(t, "settings.json", err.text);
		return;
	}
	if (mm_client_run(&run, r, t->client, &sheet, &err) != 0) {
		expect(t, "error", as_text(mm_arena_printf(t->a, "%s\n", err.text)));
		return;
	}
	if (access(in_case(t, "error"), F_OK) == 0 || run.place == NULL) {
		complain(t, "error", run.place == NULL ? "no place" : "was expected");
		return;
	}
	check_files(t, &run);
	why = mm_client_unproven(&run);
	if (why != NULL)
		complain(t, "reading back", why);
	check_again(t, &run, &sheet);
	check_undo(t, &run);
}

static void run_case(struct test_case *t)
{
	struct mm_reader *r = mm_rootreader_new(t->a, in_case(t, "before"), "alice", "/home/alice");
	struct mm_buf seen = MM_BUF_INIT(1u << 20);
	struct mm_text text;

	if (t->route != NULL)
		r = mm_route_reader(t->route, r);

	if (mm_slurp(in_case(t, "seen"), t->a, &text) == 1) {
		mm_client_show(r, t->client, &seen);
		expect(t, "seen", (struct mm_text){.p = mm_buf_str(&seen), .n = seen.len});
	}
	if (mm_slurp(in_case(t, "facts"), t->a, &text) == 1) {
		struct mm_buf facts = MM_BUF_INIT(1u << 20);

		mm_client_show_facts(r, t->client, &facts);
		expect(t, "facts", (struct mm_text){.p = mm_buf_str(&facts), .n = facts.len});
		mm_buf_free(&facts);
	}
	if (mm_slurp(in_case(t, "settings.json"), t->a, &text) == 1)
		check_change(t, r, text);
	mm_buf_free(&seen);
}

static unsigned run_client(
    const char *root, const struct mm_client *client, const struct mm_route *route, unsigned *count)
{
	struct mm_arena *a = mm_arena_new();
	const char *dir = mm_arena_printf(a, "%s/%s", root, client->name);
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned failures = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		struct test_case t = {
		    .a = a, .client = client, .route = route, .bless = getenv("MM_BLESS") != NULL};

		if (e->d_name[0] == '.')
			continue;
		t.dir = mm_arena_printf(a, "%s/%s", dir, e->d_name);
		run_case(&t);
		failures += t.failures;
		(*count)++;
	}
	if (d != NULL)
		closedir(d);
	mm_arena_free(a);
	return failures;
}

int main(int argc, char **argv)
{
	unsigned count = 0, failures = 0;

	if (argc != 2 && (argc != 3 || !mm_streq(argv[2], "routes"))) {
		fprintf(stderr, "usage: %s FOLDER [routes]\n", argv[0]);
		return 64;
	}
	for (size_t i = 0; argc == 2 && mm_clients[i] != NULL; i++)
		failures += run_client(argv[1], mm_clients[i], NULL, &count);
	for (size_t i = 0; argc == 3 && mm_routes[i] != NULL; i++)
		failures += run_client(argv[1], mm_routes[i]->client, mm_routes[i], &count);
	printf("%u cases, %u failures\n", count, failures);
	return failures == 0 && count > 0 ? 0 : 1;
}
