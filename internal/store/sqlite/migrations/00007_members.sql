-- The members of a cluster. A server on SQLite is alone and has none. The table exists
-- so that both stores have the same kinds of objects.

-- +goose Up
CREATE TABLE members (
  id         TEXT PRIMARY KEY,
  node       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  body       TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

-- +goose Down
DROP TABLE members;
