-- Bytes of uploads in progress by project. A row belongs to a member of the cluster, and
-- does not count when that is not a member any more.

-- +goose Up
CREATE UNLOGGED TABLE reservations (
  id          TEXT COLLATE "C" PRIMARY KEY,
  project_id  TEXT COLLATE "C" NOT NULL,
  incarnation TEXT COLLATE "C" NOT NULL,
  bytes       BIGINT NOT NULL
);
CREATE INDEX reservations_project ON reservations (project_id);

-- +goose Down
DROP TABLE reservations;
