-- Rollouts: one revision on its way to a set of hosts. Their states are the
-- words of controller/rollout/words.h. Nothing hangs on the hosts' rows: what a
-- rollout did stays known when a host retires.
CREATE TABLE rollouts (
	id INTEGER PRIMARY KEY,
	revision INTEGER NOT NULL,
	kind TEXT NOT NULL,
	undoes INTEGER NOT NULL,
	selection TEXT NOT NULL,
	terms TEXT NOT NULL,
	seed TEXT NOT NULL,
	state TEXT NOT NULL,
	why TEXT NOT NULL,
	because TEXT NOT NULL,
	waves INTEGER NOT NULL,
	wave INTEGER NOT NULL,
	wave_since INTEGER NOT NULL,
	bake_since INTEGER NOT NULL,
	approved INTEGER NOT NULL,
	in_flight INTEGER NOT NULL,
	hosts INTEGER NOT NULL,
	who TEXT NOT NULL,
	reason TEXT NOT NULL,
	created INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	owner TEXT NOT NULL,
	owner_pid INTEGER NOT NULL,
	lease_until INTEGER NOT NULL
);

-- seq is the rollout's when the row was last changed.
CREATE TABLE rollout_hosts (
	rollout INTEGER NOT NULL REFERENCES rollouts (id),
	host TEXT NOT NULL,
	wave INTEGER NOT NULL,
	rank INTEGER NOT NULL,
	state TEXT NOT NULL,
	late INTEGER NOT NULL,
	forgiven INTEGER NOT NULL,
	touched INTEGER NOT NULL,
	by_checkin INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	next_try INTEGER NOT NULL,
	sent INTEGER NOT NULL,
	landed INTEGER NOT NULL,
	request_id TEXT NOT NULL,
	before INTEGER NOT NULL,
	users INTEGER NOT NULL,
	tested INTEGER NOT NULL,
	verified INTEGER NOT NULL,
	failed INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	text TEXT NOT NULL,
	seq INTEGER NOT NULL,
	PRIMARY KEY (rollout, host)
) WITHOUT ROWID;
CREATE INDEX rollout_hosts_place ON rollout_hosts (rollout, wave, rank);
CREATE INDEX rollout_hosts_state ON rollout_hosts (rollout, state);
CREATE INDEX rollout_hosts_seq ON rollout_hosts (rollout, seq);
CREATE INDEX rollout_hosts_host ON rollout_hosts (host, rollout);

-- What the workstations said of themselves.
CREATE TABLE host_inventory (
	host TEXT PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
	os TEXT NOT NULL,
	seen INTEGER NOT NULL
);

CREATE TABLE host_clients (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	client TEXT NOT NULL,
	version TEXT NOT NULL,
	PRIMARY KEY (host, client)
) WITHOUT ROWID;
