/*
 * The desktop's keyring, over the Secret Service API
 * (specifications.freedesktop.org/secret-service, draft 0.2), by sd-bus.
 *
 * Only questions that need nobody: SearchItems and GetSecret. Nothing is
 * unlocked, no prompt is called, and a service that is not at work is not
 * started. The session is "plain": the bus is a socket of the user's own.
 *
 * Items are found by their attributes, as programs that store mail passwords
 * set them; the table is in the order of asking.
 *
 * libsystemd is loaded when the keyring is asked (sdbus.h). A machine without
 * it has no Secret Service for us, and all else works.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "agent/secret_source.h"
#include "agent/sessionbus.h"
#include "common/mem.h"
#include "common/text.h"

#define SERVICE "org.freedesktop.secrets"
#define ROOT "/org/freedesktop/secrets"
#define IFACE(name) "org.freedesktop.Secret." name
#define ITEMS_MAX 64
#define COLLECTIONS_MAX 64

enum part { PART_END, PART_PROTOCOL, PART_PROTOCOL_CAPITALS, PART_HOST, PART_USER };

struct attribute {
	const char *name;
	enum part part;
};

#define ATTRIBUTES_MAX 3
static const struct attribute rows[][ATTRIBUTES_MAX + 1] = {
    /* org.gnome.keyring.NetworkPassword of libsecret: msmtp (src/password.c), Balsa */
    {{"server", PART_HOST}, {"user", PART_USER}, {"protocol", PART_PROTOCOL}, {NULL, PART_END}},
    /* secret-tool store host H service imap user U: msmtp's and mutt's manuals */
    {{"host", PART_HOST}, {"user", PART_USER}, {"service", PART_PROTOCOL}, {NULL, PART_END}},
    /* Geary (src/client/application/secret-mediator.vala) */
    {{"host", PART_HOST}, {"login", PART_USER}, {"proto", PART_PROTOCOL_CAPITALS}, {NULL, PART_END}},
    /* keyring of Python, by which OfflineIMAP and vdirsyncer are set up */
    {{"service", PART_HOST}, {"username", PART_USER}, {NULL, PART_END}},
    /* secret-tool by hand, with fewer words */
    {{"service", PART_HOST}, {"user", PART_USER}, {NULL, PART_END}},
    {{"server", PART_HOST}, {"user", PART_USER}, {NULL, PART_END}},
    {{"host", PART_HOST}, {"user", PART_USER}, {NULL, PART_END}},
};

struct talk {
	struct mm_bus b;
	const struct mm_finder *f;
	const struct mm_wish *w;
	const char **why;
};

/* ---- the bus */

static enum mm_credential say(const struct talk *t, const char *what, enum mm_credential c)
{
	*t->why = mm_arena_printf(t->f->arena, "The keyring (Secret Service) %s.", what);
	return c;
}

static enum mm_credential of_errno(const struct talk *t, int rc)
{
	if (rc == -ETIMEDOUT)
		return say(t, "did not answer in time", MM_CRED_TIMEOUT);
	return say(t, mm_arena_printf(t->f->arena, "cannot be asked: %s", strerror(-rc)), MM_CRED_NO_SERVICE);
}

static enum mm_credential of_error(const struct talk *t, int rc, const sd_bus_error *e)
{
	if (t->b.sd.error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    t->b.sd.error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		return say(t, "is not at work in this session", MM_CRED_NO_SERVICE);
	if (t->b.sd.error_has_name(e, IFACE("Error.IsLocked")))
		return say(t, "is locked", MM_CRED_LOCKED);
	if (rc == -ETIMEDOUT || t->b.sd.error_has_name(e, SD_BUS_ERROR_NO_REPLY) ||
	    t->b.sd.error_has_name(e, SD_BUS_ERROR_TIMEOUT))
		return of_errno(t, -ETIMEDOUT);
	return t->b.sd.error_is_set(e)
		   ? say(t, mm_arena_printf(t->f->arena, "answers %s", e->name), MM_CRED_UNAVAILABLE)
		   : of_errno(t, rc);
}

static enum mm_credential join(struct talk *t)
{
	const char *address = mm_session_bus(t->f->who, t->f->arena);
	if (address == NULL)
		return say(t, "cannot be asked: there is no session bus", MM_CRED_NO_SERVICE);
	int rc = mm_bus_open(&t->b, address, MM_SECRET_SECONDS);
	if (rc == -EOPNOTSUPP)
		return say(t, "cannot be asked: " MM_SDBUS_LIBRARY " is not there", MM_CRED_NO_SERVICE);
	return rc < 0 ? of_errno(t, rc) : MM_CRED_FOUND;
}

/* ---- calls */

static int method(struct talk *t, const char *path, const char *iface, const char *name, sd_bus_message **m)
{
	return mm_bus_method(&t->b, m, SERVICE, path, iface, name);
}

/* Takes `m`; `rc` is that of filling it. */
static enum mm_credential call(struct talk *t, sd_bus_message *m, int rc, sd_bus_message **reply)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	enum mm_credential got = MM_CRED_FOUND;
	if (rc >= 0)
		rc = t->b.sd.call(t->b.bus, m, mm_bus_left(&t->b), &e, reply);
	if (rc < 0)
		got = of_error(t, rc, &e);
	t->b.sd.error_free(&e);
	t->b.sd.message_unref(m);
	return got;
}

static enum mm_credential property(
    struct talk *t, const char *path, const char *iface, const char *name, sd_bus_message **reply)
{
	sd_bus_message *m = NULL;
	int rc = method(t, path, "org.freedesktop.DBus.Properties", "Get", &m);
	if (rc >= 0)
		rc = t->b.sd.message_append(m, "ss", iface, name);
	return call(t, m, rc, reply);
}

/* ---- searching */

static const char *part_text(const struct talk *t, enum part p)
{
	char *copy;
	switch (p) {
	case PART_HOST:
		return t->w->host;
	case PART_USER:
		return t->w->username;
	case PART_PROTOCOL_CAPITALS:
		copy = mm_arena_strdup(t->f->arena, t->w->protocol);
		for (char *c = copy; *c != '\0'; c++)
			*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		return copy;
	case PART_PROTOCOL:
	case PART_END:
		break;
	}
	return t->w->protocol;
}

static int fill_search(const struct talk *t, const struct attribute *a, sd_bus_message *m)
{
	int rc = t->b.sd.message_open_container(m, 'a', "{ss}");
	for (; rc >= 0 && a->name != NULL; a++)
		rc = t->b.sd.message_append(m, "{ss}", a->name, part_text(t, a->part));
	return rc < 0 ? rc : t->b.sd.message_close_container(m);
}

/* Paths of an "ao" into the arena; at most `max`, more are left out. */
static int take_paths(const struct talk *t, sd_bus_message *m, const char **out, size_t max, size_t *n)
{
	const char *path;
	int rc = t->b.sd.message_enter_container(m, 'a', "o");
	*n = 0;
	while (rc >= 0 && (rc = t->b.sd.message_read(m, "o", &path)) > 0)
		if (*n < max)
			out[(*n)++] = mm_arena_strdup(t->f->arena, path);
	return rc < 0 ? rc : t->b.sd.message_exit_container(m);
}

struct hits {
	const char *open[ITEMS_MAX], *locked[ITEMS_MAX];
	size_t n_open, n_locked;
};

static enum mm_credential search(struct talk *t, const struct attribute *row, struct hits *h)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int rc = method(t, ROOT, IFACE("Service"), "SearchItems", &m);
	if (rc >= 0)
		rc = fill_search(t, row, m);
	enum mm_credential got = call(t, m, rc, &reply);
	if (got == MM_CRED_FOUND) {
		rc = take_paths(t, reply, h->open, ITEMS_MAX, &h->n_open);
		if (rc >= 0)
			rc = take_paths(t, reply, h->locked, ITEMS_MAX, &h->n_locked);
		if (rc < 0)
			got = of_errno(t, rc);
	}
	t->b.sd.message_unref(reply);
	return got;
}

/* Does the item say that it is for another protocol? A search by server and
 * user alone finds the password of SMTP for IMAP, too. */
static bool other_protocol(const struct talk *t, sd_bus_message *m)
{
	static const char *const names[] = {"protocol", "proto", "service"};
	static const char *const mails[] = {"imap", "pop3", "smtp", "imaps", "pop3s", "smtps"};
	const char *key, *value;
	bool other = false;
	if (t->b.sd.message_enter_container(m, 'v', "a{ss}") < 0 ||
	    t->b.sd.message_enter_container(m, 'a', "{ss}") < 0)
		return true;
	while (t->b.sd.message_read(m, "{ss}", &key, &value) > 0) {
		for (size_t i = 0; i < 3; i++)
			for (size_t k = 0; k < 6 && mm_streq(key, names[i]); k++)
				other = other || (strcasecmp(value, mails[k]) == 0 &&
						     strncasecmp(value, t->w->protocol, 4) != 0);
	}
	return other;
}

static bool is_ours(struct talk *t, const char *item)
{
	sd_bus_message *reply = NULL;
	bool ours = property(t, item, IFACE("Item"), "Attributes", &reply) == MM_CRED_FOUND &&
		    !other_protocol(t, reply);
	t->b.sd.message_unref(reply);
	return ours;
}

static const char *first_of_ours(struct talk *t, const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_ours(t, items[i]))
			return items[i];
	return NULL;
}

/* ---- the secret */

static enum mm_credential open_session(struct talk *t, const char **session)
{
	sd_bus_message *m = NULL, *reply = NULL;
	const char *path = NULL;
	int rc = method(t, ROOT, IFACE("Service"), "OpenSession", &m);
	if (rc >= 0)
		rc = t->b.sd.message_append(m, "sv", "plain", "s", "");
	enum mm_credential got = call(t, m, rc, &reply);
	if (got == MM_CRED_FOUND) {
		rc = t->b.sd.message_skip(reply, "v");
		if (rc >= 0)
			rc = t->b.sd.message_read(reply, "o", &path);
		if (rc < 0)
			got = of_errno(t, rc);
		else
			*session = mm_arena_strdup(t->f->arena, path);
	}
	t->b.sd.message_unref(reply);
	return got;
}

/* (oayays): session, parameters of its encryption, value, type */
static enum mm_credential take_secret(struct talk *t, sd_bus_message *reply, struct mm_secret *s)
{
	const void *value = NULL;
	size_t n = 0;
	int rc = t->b.sd.message_enter_container(reply, 'r', "oayays");
	if (rc >= 0)
		rc = t->b.sd.message_skip(reply, "oay");
	if (rc >= 0)
		rc = t->b.sd.message_read_array(reply, 'y', &value, &n);
	if (rc < 0)
		return of_errno(t, rc);
	if (n == 0)
		return say(t, "holds an empty password", MM_CRED_UNAVAILABLE);
	if (memchr(value, '\0', n) != NULL || mm_secret_set(s, value, n, NULL) != 0)
		return say(t, "holds what is no password: a zero byte, or too long", MM_CRED_BAD);
	const char *end = strchr(mm_secret_bytes(s), '\n');
	if (end != NULL && end[1] != '\0')
		return say(t, "holds what is no password: several lines", MM_CRED_BAD);
	mm_secret_first_line(s);
	return mm_secret_len(s) > 0 ? MM_CRED_FOUND : say(t, "holds an empty password", MM_CRED_UNAVAILABLE);
}

static enum mm_credential fetch(struct talk *t, const char *item, struct mm_secret *s)
{
	sd_bus_message *m = NULL, *reply = NULL;
	const char *session = NULL;
	enum mm_credential got = open_session(t, &session);
	if (got != MM_CRED_FOUND)
		return got;
	int rc = method(t, item, IFACE("Item"), "GetSecret", &m);
	if (rc >= 0)
		rc = t->b.sd.message_append(m, "o", session);
	got = call(t, m, rc, &reply);
	if (got == MM_CRED_FOUND) {
		/* wiped when it is freed */
		t->b.sd.message_sensitive(reply);
		got = take_secret(t, reply, s);
	}
	t->b.sd.message_unref(reply);
	return got;
}

/* ---- nothing was found: is anything locked in which it could be? */

static bool is_locked(struct talk *t, const char *collection)
{
	sd_bus_message *reply = NULL;
	int locked = 0;
	if (property(t, collection, IFACE("Collection"), "Locked", &reply) == MM_CRED_FOUND &&
	    t->b.sd.message_read(reply, "v", "b", &locked) < 0)
		locked = 0;
	t->b.sd.message_unref(reply);
	return locked != 0;
}

static bool any_locked(struct talk *t)
{
	const char *paths[COLLECTIONS_MAX];
	sd_bus_message *reply = NULL;
	size_t n = 0;
	bool locked = false;
	if (property(t, ROOT, IFACE("Service"), "Collections", &reply) == MM_CRED_FOUND &&
	    t->b.sd.message_enter_container(reply, 'v', "ao") >= 0 &&
	    take_paths(t, reply, paths, COLLECTIONS_MAX, &n) < 0)
		n = 0;
	for (size_t i = 0; i < n && !locked; i++)
		locked = is_locked(t, paths[i]);
	t->b.sd.message_unref(reply);
	return locked;
}

static enum mm_credential find(struct talk *t, struct mm_secret *s)
{
	bool locked = false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hits h;
		enum mm_credential got = search(t, rows[i], &h);
		if (got != MM_CRED_FOUND)
			return got;
		const char *item = first_of_ours(t, h.open, h.n_open);
		if (item != NULL)
			return fetch(t, item, s);
		locked = locked || first_of_ours(t, h.locked, h.n_locked) != NULL;
	}
	if (locked)
		return say(t, "holds a password for this login and is locked", MM_CRED_LOCKED);
	if (any_locked(t))
		return say(t, "is locked, and shows no password for this login", MM_CRED_LOCKED);
	return say(t,
	    mm_arena_printf(
		t->f->arena, "holds no password of the user %s on the server %s", t->w->username, t->w->host),
	    MM_CRED_MISSING);
}

static bool there(const struct mm_finder *f, const struct mm_wish *w)
{
	(void)w;
	return mm_session_bus(f->who, f->arena) != NULL;
}

static enum mm_credential get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_secret *s, const char **why)
{
	struct talk t = {.f = f, .w = w, .why = why};
	enum mm_credential got = MM_CRED_MISSING;
	if (w->username == NULL)
		return say(&t, "is not asked without a user name", got);
	got = join(&t);
	if (got == MM_CRED_FOUND)
		got = find(&t, s);
	if (got != MM_CRED_FOUND)
		mm_secret_set(s, "", 0, NULL);
	mm_bus_close(&t.b);
	return got;
}

const struct mm_secret_source mm_source_service = {"secret-service", there, get};
