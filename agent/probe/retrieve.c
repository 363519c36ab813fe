#include "agent/probe/retrieve.h"

#include <string.h>

void mm_outcome_take(struct mm_outcome *o, const struct mm_attempt *a, const struct mm_login *l)
{
	o->over = true;
	o->held = l->result == MM_LOGIN_PASSED && l->reached >= MM_LEVEL_LOGIN;
	snprintf(o->why_not, sizeof(o->why_not), "the login at the incoming server did not hold (%s)",
	    l->result == MM_LOGIN_PASSED ? "not tested" : l->cls);
	if (a == NULL)
		return;
	o->ep = a->ep;
	o->limits = *a->limits;
	o->name = a->name;
	o->own_command = a->own_command;
}

/* Where the id of the message says it comes from: never this computer's own
 * name, which the sandbox does not let us ask for. */
static const char *id_host(const struct mm_probe_task *t)
{
	const char *at = t->sender != NULL ? strrchr(t->sender, '@') : NULL;
	return t->ehlo != NULL ? t->ehlo : at != NULL ? at + 1 : "localhost";
}

void mm_retrieve_plan(struct mm_trip_plan *out, const struct mm_outcome *in, const struct mm_probe_task *task,
    const struct mm_secret *secret, const struct mm_secret *certificate, CURLM *multi, int wait_ms)
{
	*out = (struct mm_trip_plan){
	    .address = task->sender,
	    .host = id_host(task),
	    .multi = multi,
	    .wait_ms = wait_ms,
	    .why_not = in->held ? NULL : in->why_not,
	};
	if (in->ep.auth == NULL)
		return;
	out->incoming = &in->ep;
	out->addrs = in->name.addrs;
	out->n_addrs = in->name.n;
	out->talk = (struct mm_talk_plan){.ep = &in->ep,
	    .limits = &in->limits,
	    .login = true,
	    .secret = secret,
	    .certificate = certificate,
	    .login_options = in->own_command ? NULL : in->ep.auth->login_options};
}
