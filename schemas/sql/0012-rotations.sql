-- How a signing key took the place of the one before (schemas/rotation.h):
-- both signatures in base64; '' = the first key, or one that took the place
-- of a stolen or lost key, for which nobody has signed.
ALTER TABLE signing_keys ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE signing_keys ADD COLUMN sig TEXT NOT NULL DEFAULT '';
ALTER TABLE signing_keys ADD COLUMN proof TEXT NOT NULL DEFAULT '';
