-- The first shape of the store. Times are unix seconds, booleans 0 or 1,
-- "" means "none" where a column is NOT NULL.

CREATE TABLE meta (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

-- Policy: immutable numbered revisions.
CREATE TABLE revisions (
	number INTEGER PRIMARY KEY,
	parent INTEGER REFERENCES revisions (number),
	text BLOB NOT NULL,
	sha256 TEXT NOT NULL,
	author TEXT NOT NULL,
	author_uid INTEGER NOT NULL,
	time INTEGER NOT NULL,
	message TEXT NOT NULL,
	source TEXT NOT NULL,
	approvals INTEGER NOT NULL,
	needed INTEGER NOT NULL
);

CREATE TABLE approvals (
	revision INTEGER NOT NULL REFERENCES revisions (number),
	uid INTEGER NOT NULL,
	who TEXT NOT NULL,
	time INTEGER NOT NULL,
	PRIMARY KEY (revision, uid)
);

-- People. What is personal stands in user_personal and user_attrs, so that
-- erasing a person is erasing rows.
CREATE TABLE users (
	id INTEGER PRIMARY KEY,
	added INTEGER NOT NULL
);

CREATE TABLE user_personal (
	user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	login TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	address TEXT NOT NULL
);

CREATE TABLE user_attrs (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (user_id, name)
);

CREATE TABLE groups (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	source TEXT NOT NULL,
	synced INTEGER NOT NULL
);

CREATE TABLE memberships (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	PRIMARY KEY (user_id, group_id)
);
CREATE INDEX memberships_group ON memberships (group_id);

-- Workstations.
CREATE TABLE hosts (
	id TEXT PRIMARY KEY,
	address TEXT NOT NULL,
	port INTEGER NOT NULL,
	account TEXT NOT NULL,
	proxy_command TEXT,
	transport TEXT NOT NULL,
	all_users INTEGER NOT NULL,
	report_key TEXT,
	enrolled INTEGER NOT NULL,
	added INTEGER NOT NULL
);

CREATE TABLE host_tags (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	tag TEXT NOT NULL,
	PRIMARY KEY (host, tag)
);

CREATE TABLE host_users (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	login TEXT NOT NULL,
	PRIMARY KEY (host, login)
);
CREATE INDEX host_users_login ON host_users (login);

CREATE TABLE host_keys (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	algorithm TEXT NOT NULL,
	blob BLOB NOT NULL,
	source TEXT NOT NULL,
	added INTEGER NOT NULL,
	PRIMARY KEY (host, algorithm)
);

-- Signing keys (public parts) and what each host was last sent. Serials
-- outlive their host: an id that is used again must not start below.
CREATE TABLE signing_keys (
	epoch INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	pem TEXT NOT NULL,
	added INTEGER NOT NULL
);

CREATE TABLE serials (
	host TEXT PRIMARY KEY,
	epoch INTEGER NOT NULL,
	serial INTEGER NOT NULL,
	request_id TEXT NOT NULL
);

CREATE TABLE push_state (
	host TEXT PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
	revision INTEGER NOT NULL,
	done_revision INTEGER NOT NULL,
	pending INTEGER NOT NULL,
	op TEXT NOT NULL,
	request_id TEXT NOT NULL,
	queued INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	last_attempt INTEGER NOT NULL,
	next_retry INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	text TEXT NOT NULL,
	unreachable INTEGER NOT NULL
);
CREATE INDEX push_state_due ON push_state (next_retry) WHERE pending = 1;

-- Evidence. A report is stored once; its findings live on as intervals. None
-- of it hangs on the host's row: what was so stays so when a host retires.
CREATE TABLE reports (
	id INTEGER PRIMARY KEY,
	host TEXT NOT NULL,
	report_id TEXT NOT NULL,
	request_id TEXT,
	op TEXT NOT NULL,
	evidence INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	serial INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	collected INTEGER NOT NULL,
	received INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	agent TEXT NOT NULL,
	user TEXT,
	expired INTEGER NOT NULL,
	findings INTEGER NOT NULL,
	logins INTEGER NOT NULL,
	UNIQUE (host, report_id)
);

-- What the last report said of the host as a whole.
CREATE TABLE host_seen (
	host TEXT PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
	seen INTEGER NOT NULL,
	received INTEGER NOT NULL,
	agent TEXT NOT NULL,
	revision INTEGER NOT NULL,
	expired INTEGER NOT NULL
);

-- Up to when a user on a host is known completely: every finding that is
-- open was seen then, so that an unchanged finding costs no write.
CREATE TABLE coverage (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	user TEXT NOT NULL,
	seen INTEGER NOT NULL,
	evidence INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	expired INTEGER NOT NULL,
	PRIMARY KEY (host, user)
);

CREATE TABLE findings (
	id INTEGER PRIMARY KEY,
	host TEXT NOT NULL,
	user TEXT NOT NULL,
	client TEXT NOT NULL,
	path TEXT NOT NULL,
	account TEXT NOT NULL,
	setting TEXT NOT NULL,
	desired TEXT,
	found TEXT,
	line INTEGER NOT NULL,
	override_path TEXT,
	state TEXT NOT NULL,
	action TEXT NOT NULL,
	reason TEXT NOT NULL,
	evidence INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	since INTEGER NOT NULL,
	first_seen INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	closed INTEGER NOT NULL
);
CREATE UNIQUE INDEX findings_open ON findings (host, user, client, path, account, setting) WHERE closed = 0;
CREATE INDEX findings_closed ON findings (host, user, closed) WHERE closed > 0;

CREATE TABLE logins (
	id INTEGER PRIMARY KEY,
	host TEXT NOT NULL,
	user TEXT NOT NULL,
	account TEXT NOT NULL,
	side TEXT NOT NULL,
	result TEXT NOT NULL,
	class TEXT NOT NULL,
	endpoint TEXT NOT NULL,
	body TEXT NOT NULL,
	evidence INTEGER NOT NULL,
	since INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	closed INTEGER NOT NULL,
	last_passed INTEGER NOT NULL
);
CREATE UNIQUE INDEX logins_open ON logins (host, user, account, side) WHERE closed = 0;
CREATE INDEX logins_closed ON logins (host, user, closed) WHERE closed > 0;

-- Reports that their host may forget, and the request that last said so.
CREATE TABLE acks (
	id INTEGER PRIMARY KEY,
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	report_id TEXT NOT NULL,
	request_id TEXT NOT NULL,
	UNIQUE (host, report_id)
);

-- The audit log: a hash chain. What is personal in an entry stands in
-- audit_personal, and the chain holds its salted hash.
CREATE TABLE audit_log (
	seq INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	who TEXT NOT NULL,
	action TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL,
	reason TEXT NOT NULL,
	apart TEXT NOT NULL,
	prev TEXT NOT NULL,
	sha256 TEXT NOT NULL
);

CREATE TABLE audit_personal (
	seq INTEGER PRIMARY KEY REFERENCES audit_log (seq),
	salt TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL
);
