-- Accounts, keys and certificates of ACME, which all nodes share. The values are sealed. A
-- folder is the part of keys before a slash.

-- +goose Up
CREATE TABLE certificates (
  key      TEXT COLLATE "C" PRIMARY KEY,
  value    BYTEA NOT NULL,
  modified TIMESTAMPTZ NOT NULL
);

-- A holder renews its lock before it expires by the clock of the database.
CREATE TABLE certificate_locks (
  name    TEXT COLLATE "C" PRIMARY KEY,
  holder  TEXT NOT NULL,
  expires TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE certificate_locks, certificates;
