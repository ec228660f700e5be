-- The last use of API keys and tokens, in minutes since 1970. A use is not a change:
-- followers do not receive it. It is deleted with its object.

-- +goose Up
CREATE TABLE api_keys_uses (
  id     TEXT PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
  minute INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens_uses (
  id     TEXT PRIMARY KEY REFERENCES tokens (id) ON DELETE CASCADE,
  minute INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE tokens_uses;
DROP TABLE api_keys_uses;
