-- Signed statements of how far the audit log went. witnesses counts those that
-- took it; hosts = 1: it goes to the hosts with their next request.
CREATE TABLE checkpoints (
	seq INTEGER PRIMARY KEY,
	entries INTEGER NOT NULL,
	time INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	key_id TEXT NOT NULL,
	signature TEXT NOT NULL,
	witnesses INTEGER NOT NULL,
	hosts INTEGER NOT NULL
);
INSERT INTO meta (key, value) VALUES ('fleet', lower(hex(randomblob(16))));

-- The newest checkpoint that a host has handed back, and that is ours.
ALTER TABLE host_seen ADD COLUMN checkpoint INTEGER NOT NULL DEFAULT 0;

-- Hosts that have seen a checkpoint which our log does not have.
CREATE TABLE witness_alarms (
	host TEXT NOT NULL,
	seq INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	body TEXT NOT NULL,
	heard INTEGER NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (host, seq, sha256)
) WITHOUT ROWID;
