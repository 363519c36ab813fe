-- The places (a user on a host) for whose open findings and login checks an
-- entry of the audit log vouches: the entry has "NAME:DIGEST", both over this
-- salt, so that it says nothing of a person whose salt was erased.
-- salt '' = the rows are older than this table, and no entry vouches for them yet.
CREATE TABLE vouched (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	user TEXT NOT NULL,
	salt TEXT NOT NULL,
	PRIMARY KEY (host, user)
) WITHOUT ROWID;
INSERT INTO vouched (host, user, salt)
SELECT host, user, '' FROM findings WHERE closed = 0 AND host IN (SELECT id FROM hosts)
UNION SELECT host, user, '' FROM logins WHERE closed = 0 AND host IN (SELECT id FROM hosts);
