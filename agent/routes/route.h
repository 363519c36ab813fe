/*
 * Routes: how a mail program is set up for everybody on a host through the
 * system's files. A route is a `static const struct mm_route` in its own
 * module and one line in routes.def.
 *
 * It works as a client does (agent/clients/client.h), with places that are
 * root's. A value that holds MM_SYSTEM_LOGIN is everybody's own there: the
 * program puts the login of whoever runs it in. Each program has another way
 * to write that, and only the two functions below know it: adapters, editors,
 * journal and findings see MM_SYSTEM_LOGIN in an ordinary text.
 */
#ifndef MM_AGENT_ROUTES_ROUTE_H
#define MM_AGENT_ROUTES_ROUTE_H

#include "agent/clients/client.h"

struct mm_route {
	const struct mm_client *client; /* of the same name as the user's; find() offers places of root's */
	/* NULL-terminated: only below these anything is written. */
	const char *const *dirs;
	/* What the program puts the login in for, wherever it stands in a file; or NULL, and the two below.
	 */
	const char *login;
	/* A file as it stands -> with MM_SYSTEM_LOGIN, and back. Line by line: lines keep their numbers.
	 * The way back is exact, or it is an error. */
	int (*decode)(
	    struct mm_arena *a, const char *path, struct mm_text in, struct mm_text *out, struct mm_err *err);
	int (*encode)(
	    struct mm_arena *a, const char *path, struct mm_text in, struct mm_text *out, struct mm_err *err);
	/* An account of the system's files that the user's own do not have is whole in itself: nothing
	 * that stands elsewhere says anything of it. */
	bool whole;
	/* The same, but only of a user who has no configuration of his own yet. */
	bool whole_at_first;
	/* Where the user's own files win over what `view` (values with the user's login in them) got from
	 * the system's: mm_see_over() for those settings. NULL: they never do. */
	int (*home)(struct mm_reader *user, struct mm_view *view, struct mm_err *err);
};

#define MM_ROUTE(name, identity)                                                                             \
	extern const struct mm_route mm_route_##name;                                                        \
	extern const struct mm_client mm_route_client_##name;
#include "agent/routes/routes.def"
#undef MM_ROUTE
extern const struct mm_route *const mm_routes[];         /* NULL-terminated */
extern const struct mm_client *const mm_route_clients[]; /* the same, for mm_converge() */
const struct mm_route *mm_route_by_name(const char *client);

/* A reader that shows the route's files as they are edited. In r's arena. */
struct mm_reader *mm_route_reader(const struct mm_route *route, struct mm_reader *r);
/* The file as it is edited. */
int mm_route_decode(const struct mm_route *route, struct mm_arena *a, const char *path, struct mm_text in,
    struct mm_text *out, struct mm_err *err);
/* The file as it is to be written. p == NULL stays so. */
int mm_route_encode(const struct mm_route *route, struct mm_arena *a, const char *path, struct mm_text in,
    struct mm_text *out, struct mm_err *err);
/* A view for one user: the login where MM_SYSTEM_LOGIN stands. */
void mm_route_personal(struct mm_view *view, const char *login, struct mm_arena *a);

/* ---- for the modules */

/* Line by line through `f`, which appends what becomes of the line (without
 * its end) or returns false to leave it. */
typedef bool mm_route_line(struct mm_buf *out, const char *line, size_t n);
int mm_route_lines(
    struct mm_arena *a, struct mm_text in, mm_route_line *f, struct mm_text *out, struct mm_err *err);
/* Append `s` with each `from` replaced by `to`. */
void mm_route_swap(struct mm_buf *out, const char *s, size_t n, const char *from, const char *to);
/* NULL, or why the login cannot be part of this value: it needs an own one for each user. */
const char *mm_route_no_login(enum mm_setting s, const char *value);
/* One place, of the system's; in use where the program is installed or the file is there. */
int mm_route_place(
    struct mm_reader *r, const char *program, const char *path, struct mm_place **places, size_t *n);
/* The value that the user's own file has, and where; it wins. */
void mm_route_won(struct mm_seen *shared, const struct mm_seen *home, const char *path, const char *by);

#endif
