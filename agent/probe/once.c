#include "agent/probe/once.h"

#include <search.h>
#include <string.h>
#include <strings.h>

#define CLEAR (MM_MECH_BIT(MM_MECH_PLAIN) | MM_MECH_BIT(MM_MECH_LOGIN) | MM_MECH_BIT(MM_MECH_COMMAND))

/* ---- which */

static int compare_secrets(const struct mm_secret *a, const struct mm_secret *b)
{
	size_t x = mm_secret_len(a), y = mm_secret_len(b);
	if (a == b)
		return 0;
	return x != y ? (x > y) - (x < y) : memcmp(mm_secret_bytes(a), mm_secret_bytes(b), x);
}

static int compare(const void *a, const void *b)
{
	const struct mm_once *x = a, *y = b;
	int rc = strcasecmp(x->host, y->host);
	rc = rc != 0 ? rc : strcmp(x->username, y->username);
	rc = rc != 0 ? rc : (x->manner > y->manner) - (x->manner < y->manner);
	return rc != 0 ? rc : compare_secrets(x->secret, y->secret);
}

static bool is_password(const struct mm_endpoint *ep)
{
	const struct mm_auth *a = ep->auth;
	return !a->token && !a->ticket && !a->certificate && mm_login_possible(ep);
}

struct mm_once *mm_once_of(
    void **tree, struct mm_arena *mem, const struct mm_endpoint *ep, const struct mm_secret *secret)
{
	if (secret == NULL || !is_password(ep))
		return NULL;
	bool clear = (ep->auth->accepts & CLEAR) != 0;
	struct mm_once key = {.host = ep->host,
	    .username = ep->username,
	    .secret = secret,
	    .manner = clear ? CLEAR : ep->auth->accepts};
	void **slot = tfind(&key, tree, compare);
	if (slot != NULL)
		return *slot;
	struct mm_once *o = mm_arena_alloc(mem, 1, sizeof(*o));
	*o = key;
	if (tsearch(o, tree, compare) == NULL)
		mm_oom();
	return o;
}

static void keep(void *p)
{
	(void)p; /* it lives in the arena */
}

void mm_once_end(void *tree)
{
	tdestroy(tree, keep);
}

/* ---- when */

static void park(struct mm_once *o, struct mm_test *t)
{
	t->next = NULL;
	if (o->last != NULL)
		o->last->next = t;
	else
		o->waiting = t;
	o->last = t;
}

struct mm_test *mm_once_next(struct mm_once *o)
{
	struct mm_test *t = o->waiting;
	if (t == NULL)
		return NULL;
	o->waiting = t->next;
	if (o->waiting == NULL)
		o->last = NULL;
	return t;
}

static bool is_taken(const struct mm_once *o, const struct mm_site *s)
{
	for (size_t i = 0; i < o->n_taken; i++)
		if (o->taken[i] == s)
			return true;
	return false;
}

bool mm_once_begin(struct mm_test *t)
{
	struct mm_once *o = t->once;
	if (o == NULL || t->is_look)
		return true;
	if (o->refused != NULL) {
		t->ep.has_secret = false;
		t->ep.refused_on = &o->refused->ep;
		return true;
	}
	if (is_taken(o, t->site))
		return true;
	if (o->first != NULL) {
		park(o, t);
		return false;
	}
	o->first = t;
	return true;
}

/* ---- what it was told */

/* About the password itself: the server's other ports would say the same. */
static bool is_refusal(enum mm_cls cls)
{
	return cls == MM_CLS_AUTH_REJECTED || cls == MM_CLS_AUTH_UNCLEAR || cls == MM_CLS_AUTH_UNPROVEN ||
	       cls == MM_CLS_AUTH_PASSWORD_EXPIRED || cls == MM_CLS_AUTH_APP_PASSWORD;
}

static void take(struct mm_once *o, const struct mm_test *t)
{
	if (o->n_taken < MM_ONCE_SITES)
		o->taken[o->n_taken++] = t->site;
	o->first = NULL;
}

bool mm_once_look(struct mm_test *t)
{
	struct mm_once *o = t->once;
	const struct mm_dialog *d = t->attempt->signals.dialog;
	/* what POP3 answers is proven by what comes behind it */
	if (o == NULL || o->first != t || d == NULL || d->mail == MM_MAIL_POP3 || !mm_dialog_logged_in(d))
		return false;
	take(o, t);
	return true;
}

bool mm_once_over(struct mm_test *t, enum mm_cls cls, bool held)
{
	struct mm_once *o = t->once;
	if (o == NULL)
		return false;
	if (o->refused == NULL && is_refusal(cls))
		o->refused = t;
	if (o->first != t)
		return false;
	if (held)
		take(o, t);
	o->first = NULL;
	return true;
}
