-- Each table has the columns by which objects are found and sorted, and the whole
-- object as JSON in body. Times are nanoseconds since 1970, in UTC.

-- +goose Up
CREATE TABLE projects (
  id              TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  name            TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  body            TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE TABLE api_keys (
  id         TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  created_at INTEGER NOT NULL,
  body       TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE TABLE namespaces (
  id         TEXT PRIMARY KEY,
  region     TEXT NOT NULL,
  project_id TEXT NOT NULL REFERENCES projects (id),
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  body       TEXT NOT NULL CHECK (json_valid(body)),
  UNIQUE (project_id, region, name)
) STRICT;

CREATE TABLE functions (
  id              TEXT PRIMARY KEY,
  region          TEXT NOT NULL,
  project_id      TEXT NOT NULL REFERENCES projects (id),
  organization_id TEXT NOT NULL,
  namespace_id    TEXT NOT NULL REFERENCES namespaces (id),
  name            TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  body            TEXT NOT NULL CHECK (json_valid(body)),
  UNIQUE (namespace_id, name)
) STRICT;
CREATE INDEX functions_organization ON functions (organization_id);

CREATE TABLE tokens (
  id           TEXT PRIMARY KEY,
  region       TEXT NOT NULL,
  project_id   TEXT NOT NULL REFERENCES projects (id),
  namespace_id TEXT REFERENCES namespaces (id),
  function_id  TEXT REFERENCES functions (id),
  created_at   INTEGER NOT NULL,
  body         TEXT NOT NULL CHECK (json_valid(body)),
  CHECK ((namespace_id IS NULL) <> (function_id IS NULL))
) STRICT;
CREATE INDEX tokens_namespace ON tokens (namespace_id, created_at, id);
CREATE INDEX tokens_function ON tokens (function_id, created_at, id);

CREATE TABLE changes (
  number  INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  id      TEXT NOT NULL,
  deleted INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE changes;
DROP TABLE tokens;
DROP TABLE functions;
DROP TABLE namespaces;
DROP TABLE api_keys;
DROP TABLE projects;
