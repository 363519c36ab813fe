-- The entry of the audit log that ended a finding or login check (0: of a
-- program that did not write it down), and the salt of what an entry says of
-- its report's row ('': it says nothing, or a person was erased from it).
ALTER TABLE findings ADD COLUMN ender INTEGER NOT NULL DEFAULT 0;
ALTER TABLE logins ADD COLUMN ender INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN salt TEXT NOT NULL DEFAULT '';

-- past: the digest of what has ended there, '' = nothing, '?' = nobody has
-- looked yet. What was so stays so when a host retires.
CREATE TABLE vouched_new (
	host TEXT NOT NULL,
	user TEXT NOT NULL,
	salt TEXT NOT NULL,
	past TEXT NOT NULL,
	PRIMARY KEY (host, user)
) WITHOUT ROWID;
INSERT INTO vouched_new (host, user, salt, past) SELECT host, user, salt, '?' FROM vouched;
DROP TABLE vouched;
ALTER TABLE vouched_new RENAME TO vouched;
INSERT INTO vouched (host, user, salt, past)
SELECT host, user, '', '?' FROM findings WHERE closed > 0
UNION SELECT host, user, '', '?' FROM logins WHERE closed > 0
ON CONFLICT (host, user) DO NOTHING;
