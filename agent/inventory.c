#include "agent/inventory.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/clients/clients.h"
#include "agent/versions.h"
#include "common/file.h"
#include "common/text.h"

#define OS_RELEASE_MAX (64u * 1024u)
#define CACHE_MAX (256u * 1024u)

static const char *const os_release_files[] = {"/etc/os-release", "/usr/lib/os-release", NULL};
static const char *const program_folders[] = {"/usr/local/bin", "/usr/bin", "/usr/games", "/snap/bin", NULL};

const struct mm_inventory_places mm_inventory_system = {
    .os_release = os_release_files, .dpkg_status = MM_DPKG_STATUS, .programs = program_folders};

/* ---- what it came from, as one text: different when one of them is */

static void add_place(struct mm_buf *key, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		mm_buf_adds(key, "-;");
	else
		mm_buf_addf(key, "%llu.%llu.%lld.%lld.%09ld;", (unsigned long long)st.st_dev,
		    (unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
		    st.st_mtim.tv_nsec);
}

static const char *key_of(const struct mm_inventory_places *p, struct mm_arena *a)
{
	struct mm_buf key = MM_BUF_INIT(4096);
	const char *text;

	/* Another version of this program may know other clients. */
	mm_buf_adds(&key, MM_VERSION ";");
	add_place(&key, p->dpkg_status);
	for (size_t i = 0; p->os_release[i] != NULL; i++)
		add_place(&key, p->os_release[i]);
	for (size_t i = 0; p->programs[i] != NULL; i++)
		add_place(&key, p->programs[i]);
	text = mm_arena_strdup(a, mm_buf_str(&key));
	mm_buf_free(&key);
	return text;
}

/* ---- os-release(5): NAME=value, as a shell would read it */

static const char *unquoted(struct mm_arena *a, const char *s, size_t n)
{
	char *out = mm_arena_alloc(a, n + 1, 1);
	char quote = '\0';
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (quote == '\0' && (s[i] == '"' || s[i] == '\''))
			quote = s[i];
		else if (quote != '\0' && s[i] == quote)
			quote = '\0';
		else if (s[i] == '\\' && quote != '\'' && i + 1 < n)
			out[k++] = s[++i];
		else
			out[k++] = s[i];
	}
	return out;
}

static const char *value_of(struct mm_arena *a, const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *found = "";

	for (const char *line = text; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		/* The last one counts, as in a shell. */
		if (n > len && strncmp(line, name, len) == 0 && line[len] == '=')
			found = unquoted(a, line + len + 1, n - len - 1);
		line += n + (line[n] == '\n');
	}
	return found;
}

static const char *os_name(struct mm_arena *a, const char *text)
{
	const char *pretty = value_of(a, text, "PRETTY_NAME"), *name = value_of(a, text, "ID");
	const char *version = value_of(a, text, "VERSION_ID");

	if (*pretty != '\0')
		return pretty;
	return *version != '\0' ? mm_arena_printf(a, "%s %s", name, version) : name;
}

static const char *find_os(const struct mm_inventory_places *p, struct mm_arena *a)
{
	const char *os = "";

	for (size_t i = 0; p->os_release[i] != NULL; i++) {
		struct mm_buf text = MM_BUF_INIT(OS_RELEASE_MAX);
		enum mm_file_trouble why;
		int rc = mm_file_read("/", p->os_release[i], 0, OS_RELEASE_MAX, &text, NULL, &why, NULL);

		if (rc == 0)
			os = os_name(a, mm_buf_str(&text));
		mm_buf_free(&text);
		if (rc == 0)
			break;
	}
	return os;
}

/* ---- the programs */

static bool has_program(const struct mm_inventory_places *p, struct mm_arena *a, const char *name)
{
	if (*name == '/')
		return access(name, X_OK) == 0;
	for (size_t i = 0; p->programs[i] != NULL; i++)
		if (access(mm_arena_printf(a, "%s/%s", p->programs[i], name), X_OK) == 0)
			return true;
	return false;
}

static bool is_installed(const struct mm_inventory_places *p, struct mm_arena *a, const struct mm_client *cl)
{
	for (const char *const *name = cl->programs; *name != NULL; name++)
		if (has_program(p, a, *name))
			return true;
	return false;
}

static void find_clients(const struct mm_inventory_places *p, struct mm_arena *a, struct mm_system *out)
{
	size_t all = 0, n = 0;

	while (mm_clients[all] != NULL)
		all++;
	struct mm_installed *list = mm_arena_alloc(a, all + 1, sizeof(*list));
	struct mm_version *v = mm_arena_alloc(a, all + 1, sizeof(*v));
	for (size_t i = 0; i < all && n < MM_INVENTORY_CLIENTS_MAX; i++) {
		const struct mm_client *cl = mm_clients[i];

		if (!is_installed(p, a, cl))
			continue;
		v[n].package = cl->package != NULL ? cl->package : cl->programs[0];
		list[n++].client = cl->name;
	}
	mm_versions_find(p->dpkg_status, v, n, a);
	for (size_t i = 0; i < n; i++)
		list[i].version = v[i].version != NULL ? v[i].version : "";
	out->clients = list;
	out->n_clients = n;
}

/* ---- kept */

static int from_cache(
    const char *path, const char *key, struct mm_arena *a, struct mm_system *out, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(CACHE_MAX);
	const json_t *member = NULL;
	const char *have = "";
	json_t *o = NULL;
	int rc = -1;

	if (access(path, F_OK) == 0 && mm_file_read_own(path, CACHE_MAX, true, &text, err) == 0)
		o = mm_json_load(path, text.data, text.len, err);
	if (o != NULL && mm_json_str(o, "key", CACHE_MAX, &have, err) == 0 && mm_streq(have, key) &&
	    mm_json_object(o, "system", false, &member, err) == 0)
		rc = mm_system_read(member, a, out, err);
	json_decref(o);
	mm_buf_free(&text);
	return rc;
}

static void keep(const char *path, const char *key, const struct mm_system *s, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(CACHE_MAX);
	json_t *o = json_object();

	mm_json_set_str(o, "key", key);
	mm_json_set(o, "system", mm_system_json(s));
	mm_json_dump(o, &text);
	json_decref(o);
	mm_buf_addc(&text, '\n');
	/* It can be found out again. */
	if (mm_buf_ok(&text))
		(void)mm_write_own(path, mm_buf_str(&text), text.len, 0600, err);
	mm_buf_free(&text);
}

void mm_inventory_get(
    const struct mm_inventory_places *p, const struct mm_conf *c, struct mm_arena *a, struct mm_system *out)
{
	const char *path = mm_arena_printf(a, "%s/inventory.json", c->state_dir);
	const char *key = key_of(p, a);
	struct mm_err err = MM_ERR_NONE;

	if (from_cache(path, key, a, out, &err) == 0)
		return;
	*out = (struct mm_system){.os = find_os(p, a)};
	find_clients(p, a, out);
	keep(path, key, out, &err);
}
