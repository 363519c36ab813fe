-- The compliance baseline that a revision is judged by, in the text that it was
-- imported with: what stands in files may change, what was said then does not.
CREATE TABLE baselines (
	sha256 TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	text BLOB NOT NULL,
	added INTEGER NOT NULL
);
-- '' = none was stored with it.
ALTER TABLE revisions ADD COLUMN baseline TEXT NOT NULL DEFAULT '';
