-- What was measured on a day: how many results of the checks had which
-- outcome, over everything (dimension 'all', name ''), and by check, group and
-- client. A day that has gone by is never written again.
CREATE TABLE samples (
	day INTEGER NOT NULL,
	dimension TEXT NOT NULL,
	name TEXT NOT NULL,
	taken INTEGER NOT NULL,
	baseline TEXT NOT NULL,
	revision INTEGER NOT NULL,
	compliant INTEGER NOT NULL,
	drifted INTEGER NOT NULL,
	failed INTEGER NOT NULL,
	unknown INTEGER NOT NULL,
	waived INTEGER NOT NULL,
	deferred INTEGER NOT NULL,
	notapplicable INTEGER NOT NULL,
	stale INTEGER NOT NULL,
	PRIMARY KEY (day, dimension, name)
) WITHOUT ROWID;
