-- When API keys and tokens were used last, in minutes since 1970. A use is no
-- change: nobody follows it, and it goes with its object.

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
