-- Each table has the columns that objects are found and sorted by, and the
-- whole object as JSON in body. Times are nanoseconds since 1970, in UTC. Texts are
-- compared byte by byte, whatever the locale of the database.

-- +goose Up
CREATE TABLE projects (
  id              TEXT COLLATE "C" PRIMARY KEY,
  organization_id TEXT COLLATE "C" NOT NULL,
  name            TEXT COLLATE "C" NOT NULL,
  created_at      BIGINT NOT NULL,
  body            TEXT NOT NULL
);

CREATE TABLE api_keys (
  id         TEXT COLLATE "C" PRIMARY KEY,
  project_id TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
  created_at BIGINT NOT NULL,
  body       TEXT NOT NULL
);

CREATE TABLE namespaces (
  id         TEXT COLLATE "C" PRIMARY KEY,
  region     TEXT COLLATE "C" NOT NULL,
  project_id TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
  name       TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  body       TEXT NOT NULL,
  UNIQUE (project_id, region, name)
);

CREATE TABLE functions (
  id              TEXT COLLATE "C" PRIMARY KEY,
  region          TEXT COLLATE "C" NOT NULL,
  project_id      TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
  organization_id TEXT COLLATE "C" NOT NULL,
  namespace_id    TEXT COLLATE "C" NOT NULL REFERENCES namespaces (id),
  name            TEXT COLLATE "C" NOT NULL,
  created_at      BIGINT NOT NULL,
  body            TEXT NOT NULL,
  UNIQUE (namespace_id, name)
);
CREATE INDEX functions_organization ON functions (organization_id);

CREATE TABLE tokens (
  id           TEXT COLLATE "C" PRIMARY KEY,
  region       TEXT COLLATE "C" NOT NULL,
  project_id   TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
  namespace_id TEXT COLLATE "C" REFERENCES namespaces (id),
  function_id  TEXT COLLATE "C" REFERENCES functions (id),
  created_at   BIGINT NOT NULL,
  body         TEXT NOT NULL,
  CHECK ((namespace_id IS NULL) <> (function_id IS NULL))
);
-- A page of a list skips the tokens before it within the index.
CREATE INDEX tokens_namespace ON tokens (namespace_id, created_at, id, region, project_id);
CREATE INDEX tokens_function ON tokens (function_id, created_at, id, region, project_id);

CREATE TABLE crons (
  id          TEXT COLLATE "C" PRIMARY KEY,
  region      TEXT COLLATE "C" NOT NULL,
  project_id  TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
  function_id TEXT COLLATE "C" NOT NULL REFERENCES functions (id),
  created_at  BIGINT NOT NULL,
  body        TEXT NOT NULL
);
CREATE INDEX crons_function ON crons (function_id, created_at, id);

CREATE TABLE triggers (
  id           TEXT COLLATE "C" PRIMARY KEY,
  region       TEXT COLLATE "C" NOT NULL,
  project_id   TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
  namespace_id TEXT COLLATE "C" NOT NULL REFERENCES namespaces (id),
  function_id  TEXT COLLATE "C" NOT NULL REFERENCES functions (id),
  created_at   BIGINT NOT NULL,
  body         TEXT NOT NULL
);
CREATE INDEX triggers_function ON triggers (function_id, created_at, id);
CREATE INDEX triggers_namespace ON triggers (namespace_id, created_at, id);
CREATE INDEX triggers_project ON triggers (project_id, region, created_at, id);

CREATE TABLE domains (
  id          TEXT COLLATE "C" PRIMARY KEY,
  region      TEXT COLLATE "C" NOT NULL,
  project_id  TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
  function_id TEXT COLLATE "C" NOT NULL REFERENCES functions (id),
  hostname    TEXT COLLATE "C" NOT NULL UNIQUE,
  created_at  BIGINT NOT NULL,
  body        TEXT NOT NULL
);
CREATE INDEX domains_function ON domains (function_id, created_at, id);

-- The last uses of API keys and tokens, in minutes since 1970. A use is not a
-- change, and is deleted with its object.
CREATE TABLE api_keys_uses (
  id     TEXT COLLATE "C" PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
  minute BIGINT NOT NULL
);

CREATE TABLE tokens_uses (
  id     TEXT COLLATE "C" PRIMARY KEY REFERENCES tokens (id) ON DELETE CASCADE,
  minute BIGINT NOT NULL
);

-- The number of tokens of each namespace and function. Every page of a list shows
-- it, and counting a million tokens takes longer than reading the page.
CREATE TABLE tokens_counts (
  namespace_id TEXT COLLATE "C" NOT NULL, -- '' for tokens of a function
  function_id  TEXT COLLATE "C" NOT NULL, -- '' for tokens of a namespace
  region       TEXT COLLATE "C" NOT NULL,
  project_id   TEXT COLLATE "C" NOT NULL,
  count        BIGINT NOT NULL CHECK (count >= 0),
  PRIMARY KEY (namespace_id, function_id, region, project_id)
);
CREATE INDEX tokens_counts_function ON tokens_counts (function_id);

-- +goose StatementBegin
CREATE FUNCTION tokens_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO tokens_counts AS c
      VALUES (coalesce(new.namespace_id, ''), coalesce(new.function_id, ''), new.region, new.project_id, 1)
      ON CONFLICT (namespace_id, function_id, region, project_id) DO UPDATE SET count = c.count + 1;
    RETURN NULL;
  ELSIF TG_OP = 'DELETE' THEN
    UPDATE tokens_counts SET count = count - 1
      WHERE namespace_id = coalesce(old.namespace_id, '') AND function_id = coalesce(old.function_id, '')
        AND region = old.region AND project_id = old.project_id;
    DELETE FROM tokens_counts
      WHERE namespace_id = coalesce(old.namespace_id, '') AND function_id = coalesce(old.function_id, '')
        AND region = old.region AND project_id = old.project_id AND count = 0;
    RETURN NULL;
  ELSIF (new.namespace_id, new.function_id, new.region, new.project_id)
    IS DISTINCT FROM (old.namespace_id, old.function_id, old.region, old.project_id) THEN
    -- The counts would be wrong.
    RAISE EXCEPTION 'the scope of a token cannot change';
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER tokens_count AFTER INSERT OR UPDATE OR DELETE ON tokens
  FOR EACH ROW EXECUTE FUNCTION tokens_count();

CREATE TABLE changes (
  number  BIGINT PRIMARY KEY,
  at      BIGINT NOT NULL,
  kind    TEXT NOT NULL,
  id      TEXT NOT NULL,
  deleted BOOLEAN NOT NULL,
  uid     TEXT NOT NULL,
  body    TEXT NOT NULL
);

-- The only row has the number and the uid of the last change, the total size of the
-- bodies in the table of changes, the number of the last change that was removed
-- from it, and the server that may write ('' if any may).
CREATE TABLE head (
  id      BOOLEAN PRIMARY KEY DEFAULT true CHECK (id),
  number  BIGINT NOT NULL,
  uid     TEXT NOT NULL,
  logged  BIGINT NOT NULL,
  removed BIGINT NOT NULL,
  owner   TEXT NOT NULL
);
INSERT INTO head (number, uid, logged, removed, owner) VALUES (0, '', 0, 0, '');

-- Values of the installation as a whole.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BYTEA NOT NULL
);

-- +goose Down
DROP TABLE settings, head, changes, tokens_counts, tokens_uses, api_keys_uses,
  domains, triggers, crons, tokens, functions, namespaces, api_keys, projects;
DROP FUNCTION tokens_count();
