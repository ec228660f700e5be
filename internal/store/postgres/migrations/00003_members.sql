-- The members of the cluster. Members join, drain and leave by changes. The other
-- columns are the renewals of their leases, which are no changes: how often a member has
-- renewed, the last change that it had applied, and how far its clock is ahead of the
-- clock of the database, in nanoseconds.

-- +goose Up
CREATE TABLE members (
  id           TEXT COLLATE "C" PRIMARY KEY,
  node         TEXT COLLATE "C" NOT NULL,
  created_at   BIGINT NOT NULL,
  body         TEXT NOT NULL,
  renewals     BIGINT NOT NULL DEFAULT 0,
  applied      BIGINT NOT NULL DEFAULT 0,
  applied_uid  TEXT NOT NULL DEFAULT '',
  clock_offset BIGINT NOT NULL DEFAULT 0
);

-- Leases replace the owner of the database.
ALTER TABLE head DROP COLUMN owner;

-- +goose Down
ALTER TABLE head ADD COLUMN owner TEXT NOT NULL DEFAULT '';
DROP TABLE members;
