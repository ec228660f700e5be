-- +goose Up
CREATE TABLE crons (
  id          TEXT PRIMARY KEY,
  region      TEXT NOT NULL,
  project_id  TEXT NOT NULL REFERENCES projects (id),
  function_id TEXT NOT NULL REFERENCES functions (id),
  created_at  INTEGER NOT NULL,
  body        TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX crons_function ON crons (function_id, created_at, id);

CREATE TABLE triggers (
  id           TEXT PRIMARY KEY,
  region       TEXT NOT NULL,
  project_id   TEXT NOT NULL REFERENCES projects (id),
  namespace_id TEXT NOT NULL REFERENCES namespaces (id),
  function_id  TEXT NOT NULL REFERENCES functions (id),
  created_at   INTEGER NOT NULL,
  body         TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX triggers_function ON triggers (function_id, created_at, id);
CREATE INDEX triggers_namespace ON triggers (namespace_id, created_at, id);
CREATE INDEX triggers_project ON triggers (project_id, region, created_at, id);

CREATE TABLE domains (
  id          TEXT PRIMARY KEY,
  region      TEXT NOT NULL,
  project_id  TEXT NOT NULL REFERENCES projects (id),
  function_id TEXT NOT NULL REFERENCES functions (id),
  hostname    TEXT NOT NULL UNIQUE,
  created_at  INTEGER NOT NULL,
  body        TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX domains_function ON domains (function_id, created_at, id);

-- +goose Down
DROP TABLE domains;
DROP TABLE triggers;
DROP TABLE crons;
