-- The audit log of all nodes. Entries have numbers without gaps, in the order in which they
-- become visible. Times are nanoseconds since 1970.

-- +goose Up
CREATE TABLE audit_entries (
  number BIGINT PRIMARY KEY,
  at     BIGINT NOT NULL,
  body   TEXT NOT NULL
);
CREATE INDEX audit_entries_at ON audit_entries (at);

-- The only row has the number of the last entry, that of the last removed one, and the size
-- of all bodies. It is locked by appends, and is independent of the row in head.
CREATE TABLE audit_head (
  id      BOOLEAN PRIMARY KEY DEFAULT true CHECK (id),
  number  BIGINT NOT NULL,
  removed BIGINT NOT NULL,
  bytes   BIGINT NOT NULL
);
INSERT INTO audit_head (number, removed, bytes) VALUES (0, 0, 0);

-- +goose Down
DROP TABLE audit_head, audit_entries;
