-- Differences that somebody has accepted for a while. "" = any; a waiver
-- that was removed or has expired stays, so that an earlier report can be
-- told as it was.
CREATE TABLE waivers (
	id INTEGER PRIMARY KEY,
	host TEXT NOT NULL,
	user TEXT NOT NULL,
	group_name TEXT NOT NULL,
	client TEXT NOT NULL,
	account TEXT NOT NULL,
	check_id TEXT NOT NULL,
	reason TEXT NOT NULL,
	owner TEXT NOT NULL,
	added_by TEXT NOT NULL,
	added INTEGER NOT NULL,
	until INTEGER NOT NULL,
	removed INTEGER NOT NULL
);
CREATE INDEX waivers_until ON waivers (until) WHERE removed = 0;
