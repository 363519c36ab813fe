-- Signed reports. seal: 0 unsigned, 1 signed and not looked at yet, 2 good,
-- 3 bad, 4 unsigned although this host has signed before.
ALTER TABLE reports ADD COLUMN frames_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE reports ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE reports ADD COLUMN signature TEXT NOT NULL DEFAULT '';
ALTER TABLE reports ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
-- The report's entry in the audit log; 0: stored by an older program.
ALTER TABLE reports ADD COLUMN entry INTEGER NOT NULL DEFAULT 0;
CREATE INDEX reports_bad ON reports (received) WHERE seal >= 3;

ALTER TABLE host_seen ADD COLUMN signs INTEGER NOT NULL DEFAULT 0;

-- Every report key that a host has had: what it signed stays provable.
CREATE TABLE report_keys (
	host TEXT NOT NULL,
	pem TEXT NOT NULL,
	added INTEGER NOT NULL,
	PRIMARY KEY (host, pem)
) WITHOUT ROWID;
INSERT INTO report_keys (host, pem, added)
	SELECT id, report_key, enrolled FROM hosts WHERE report_key IS NOT NULL;
