-- A rollback brings every host the settings that it had: these can be of
-- different revisions, first_revision to revision of the rollout.
ALTER TABLE rollouts ADD COLUMN first_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollout_hosts ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
UPDATE rollouts SET first_revision = revision;
UPDATE rollout_hosts SET revision = COALESCE((SELECT r.revision FROM rollouts r WHERE r.id = rollout_hosts.rollout), 0);
