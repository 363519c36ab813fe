#include "agent/home.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/text.h"

#define MOUNTINFO_MAX (4u * 1024u * 1024u)

/* proc(5): "36 35 98:0 /root /mount/point options - type source super"; a
 * blank in a name is \040 and so on. */
static char *unescape(char *s)
{
	char *to = s;
	for (const char *from = s; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != '\0' &&
		    from[3] != '\0') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return s;
}

static bool covers(const char *mount, const char *path)
{
	size_t n = strlen(mount);
	if (mm_streq(mount, "/"))
		return true;
	return strncmp(mount, path, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

const char *mm_mount_type(const char *mountinfo, const char *path, struct mm_arena *a)
{
	char *text = mm_arena_strdup(a, mountinfo), *save = NULL;
	const char *best = "";
	size_t best_len = 0;
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char *inner = NULL, *point = NULL, *type = NULL, *dash = strstr(line, " - ");
		if (dash == NULL)
			continue;
		*dash = '\0';
		char *word = strtok_r(line, " ", &inner);
		for (int i = 0; i < 4 && word != NULL; i++)
			word = strtok_r(NULL, " ", &inner);
		point = word != NULL ? unescape(word) : NULL;
		type = strtok_r(dash + 3, " ", &inner);
		/* The later of two mounts at one place lies on top. */
		if (point != NULL && type != NULL && covers(point, path) && strlen(point) >= best_len) {
			best = type;
			best_len = strlen(point);
		}
	}
	return best;
}

static bool untriggered(const char *home, struct mm_arena *a)
{
	struct mm_buf text = MM_BUF_INIT(MOUNTINFO_MAX);
	char chunk[8192];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	if (f == NULL)
		return false;
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
		mm_buf_add(&text, chunk, n);
	fclose(f);
	bool yes = mm_streq(mm_mount_type(mm_buf_str(&text), home, a), "autofs");
	mm_buf_free(&text);
	return yes;
}

const char *mm_home_trouble(const struct mm_identity *who, struct mm_arena *a)
{
	struct stat st;
	if (who->home == NULL || who->home[0] != '/' || who->home[1] == '\0')
		return "the user has no home";
	if (untriggered(who->home, a))
		return mm_arena_printf(a, "the home %s is not mounted now", who->home);
	if (stat(who->home, &st) != 0)
		return mm_arena_printf(a,
		    errno == ENOENT ? "the home %s does not exist" : "the home %s cannot be entered",
		    who->home);
	if (!S_ISDIR(st.st_mode))
		return mm_arena_printf(a, "the home %s is not a folder", who->home);
	if (st.st_uid != who->uid)
		return mm_arena_printf(
		    a, "the home %s belongs to user number %u", who->home, (unsigned)st.st_uid);
	return NULL;
}
