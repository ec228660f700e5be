-- The console lists the tokens of all scopes by their time of creation. A page skips the
-- tokens before it within the index.

-- +goose Up
CREATE INDEX tokens_created ON tokens (created_at, id, region, project_id);

-- +goose Down
DROP INDEX tokens_created;
