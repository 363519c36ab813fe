-- What was signed for a host lately: when two runs are under way, the slower
-- one can tell that the newer request which the host has seen is one of ours.
CREATE TABLE issued (
	host TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	serial INTEGER NOT NULL,
	request_id TEXT NOT NULL,
	op TEXT NOT NULL,
	revision INTEGER NOT NULL,
	time INTEGER NOT NULL,
	PRIMARY KEY (host, epoch, serial)
) WITHOUT ROWID;
