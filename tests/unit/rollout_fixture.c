#include "rollout_fixture.h"

#include <stdio.h>

const struct mm_rollout_lease ro_ours = {.rollout = 1, .owner = "ours", .pid = 1};
const struct mm_rollout_lease ro_theirs = {.rollout = 1, .owner = "theirs", .pid = 2};

const char *const ro_names[HOSTS] = {"h0", "h1", "h2", "h3", "h4", "h5"};

int64_t ro_create(struct fixture *f, int64_t revision, size_t from, size_t n)
{
	struct mm_rollout_member m[HOSTS];
	struct mm_rollout r = {.revision = revision,
	    .selection = "--all",
	    .terms = "{}",
	    .seed = "seed",
	    .waves = 3,
	    .window = 2};
	int64_t id = 0;

	for (size_t i = 0; i < n; i++)
		m[i] = (struct mm_rollout_member){ro_names[from + i], (int64_t)(i / 2), (int64_t)i, 0};
	ok(f, mm_store_rollout_create(f->s, &r, m, n, &id, &f->err));
	return id;
}

int ro_setup(void **state)
{
	struct fixture *f;

	store_setup(state);
	f = *state;
	for (int i = 0; i < HOSTS; i++)
		add_host(f, ro_names[i], NULL);
	assert_int_equal(ro_create(f, 5, 0, HOSTS), 1);
	ok(f, mm_store_rollout_lease(f->s, &ro_ours, 60, NULL, NULL, &f->err));
	return 0;
}

struct mm_rollout ro_get(struct fixture *f, int64_t id)
{
	struct mm_rollout r = {.id = 0};

	ok(f, mm_store_rollout_get(f->s, id, f->a, &r, &f->err));
	return r;
}

struct mm_rollout_host ro_host(struct fixture *f, int64_t id, const char *name)
{
	struct mm_rollout_host h = {.host = NULL};

	ok(f, mm_store_rollout_host(f->s, id, name, f->a, &h, &f->err));
	return h;
}

void ro_is(struct fixture *f, int64_t id, const char *name, enum mm_rh_state state)
{
	struct mm_rollout_host h = ro_host(f, id, name);

	if (h.state != state)
		fail_msg("%s is %s", name, mm_rh_state_name(h.state));
}

int ro_claim(struct fixture *f, const char *name, const char *request)
{
	return mm_store_rollout_claim(f->s, &ro_ours, name, request, &f->err);
}

int ro_land(struct fixture *f, const char *name, const char *request, enum mm_rh_state state)
{
	struct mm_rollout_host h = {.host = name,
	    .state = state,
	    .request_id = request,
	    .touched = mm_rh_answered(state),
	    .users = 3,
	    .tested = 2,
	    .verified = state == MM_RH_OK ? 2 : 1,
	    .failed = state == MM_RH_OK ? 0 : 1,
	    .next_try = state == MM_RH_UNREACHABLE ? T0 + 60 : 0,
	    .outcome = "ok",
	    .text = "a sentence"};

	return mm_store_rollout_landed(f->s, 1, &h, &f->err);
}

void ro_send_and_land(struct fixture *f, const char *name, enum mm_rh_state state)
{
	ok(f, ro_claim(f, name, "r"));
	ok(f, ro_land(f, name, "r", state));
}

/* The last entry of the audit log. */
static int keep_last(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	struct fixture *f = arg;

	(void)err;
	snprintf(f->err.text, sizeof(f->err.text), "%s %s %s %s", e->action, e->object, e->detail, e->reason);
	return 0;
}

void ro_audited(struct fixture *f, const char *want)
{
	struct mm_err err = MM_ERR_NONE;

	assert_int_equal(mm_store_audit_each(f->s, 0, keep_last, f, &err), 0);
	assert_string_equal(f->err.text, want);
}
