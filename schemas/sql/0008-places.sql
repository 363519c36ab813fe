-- What is known of a user on a host, in short: counting a fleet does not read
-- its findings. `settings` has a line "COUNT STATE ACTION CLIENT" for each kind
-- of open finding, `logins` a line "COUNT RESULT CLASS" for each kind of open
-- login check, without verdicts, staleness or waivers: those are of the
-- reader's time. "*" = too many kinds, count the rows. oldest and newest are
-- of the rows' own `seen`; what `coverage` says stands over it.
CREATE TABLE places (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	user TEXT NOT NULL,
	settings TEXT NOT NULL,
	settings_oldest INTEGER NOT NULL,
	settings_newest INTEGER NOT NULL,
	settings_claimed INTEGER NOT NULL,
	logins TEXT NOT NULL,
	logins_oldest INTEGER NOT NULL,
	logins_newest INTEGER NOT NULL,
	logins_claimed INTEGER NOT NULL,
	PRIMARY KEY (host, user)
) WITHOUT ROWID;

INSERT INTO places (host, user, settings, settings_oldest, settings_newest, settings_claimed, logins,
	logins_oldest, logins_newest, logins_claimed)
SELECT host, user, CASE WHEN COUNT(*) > 64 THEN '*' ELSE
	group_concat(n || ' ' || state || ' ' || action || ' ' || client, char(10)) END,
	MIN(oldest), MAX(newest), MAX(claimed), '', 0, 0, 0
FROM (SELECT host, user, client, state, action, COUNT(*) AS n, MIN(seen) AS oldest, MAX(seen) AS newest,
	MAX(evidence) AS claimed
	FROM findings WHERE closed = 0 AND host IN (SELECT id FROM hosts)
	AND substr(setting, 1, 7) <> 'client.' AND substr(setting, 1, 5) <> 'file.'
	GROUP BY host, user, client, state, action)
GROUP BY host, user;

INSERT INTO places (host, user, settings, settings_oldest, settings_newest, settings_claimed, logins,
	logins_oldest, logins_newest, logins_claimed)
SELECT host, user, '', 0, 0, 0, CASE WHEN COUNT(*) > 64 THEN '*' ELSE
	group_concat(n || ' ' || result || ' ' || class, char(10)) END,
	MIN(oldest), MAX(newest), MAX(claimed)
FROM (SELECT host, user, result, class, COUNT(*) AS n, MIN(seen) AS oldest, MAX(seen) AS newest,
	MAX(evidence) AS claimed
	FROM logins WHERE closed = 0 AND host IN (SELECT id FROM hosts)
	GROUP BY host, user, result, class)
WHERE true
GROUP BY host, user
ON CONFLICT (host, user) DO UPDATE SET logins = excluded.logins, logins_oldest = excluded.logins_oldest,
	logins_newest = excluded.logins_newest, logins_claimed = excluded.logins_claimed;

-- What is not as desired, without reading what is.
CREATE INDEX findings_differing ON findings (host, user, client, path, account, setting)
	WHERE closed = 0 AND state <> 'compliant';
CREATE INDEX logins_differing ON logins (host, user, account, side)
	WHERE closed = 0 AND result <> 'passed';

-- For "as it stood then": when the beginning and the end of an interval were
-- received, and which users and logins each report speaks for: "\nUSER\n",
-- "\nUSER\tACCOUNT\tSIDE\n" (NULL: of an older program, nobody knows).
ALTER TABLE findings ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
ALTER TABLE findings ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE logins ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
ALTER TABLE logins ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN covers TEXT;
UPDATE findings SET known = first_seen, ended = closed;
UPDATE logins SET known = since, ended = closed;
CREATE INDEX reports_host ON reports (host, received);

-- One tree instead of two.
CREATE TABLE coverage_new (
	host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
	user TEXT NOT NULL,
	seen INTEGER NOT NULL,
	evidence INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	expired INTEGER NOT NULL,
	PRIMARY KEY (host, user)
) WITHOUT ROWID;
INSERT INTO coverage_new SELECT host, user, seen, evidence, revision, expired FROM coverage;
DROP TABLE coverage;
ALTER TABLE coverage_new RENAME TO coverage;
CREATE INDEX coverage_user ON coverage (user);
