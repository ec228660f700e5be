-- The number of tokens of each namespace and function. Every page of a list contains
-- the number of all. With a million tokens, counting them takes longer than reading the
-- page.

-- +goose Up
CREATE TABLE tokens_counts (
  namespace_id TEXT NOT NULL, -- '' for tokens of a function
  function_id  TEXT NOT NULL, -- '' for tokens of a namespace
  region       TEXT NOT NULL,
  project_id   TEXT NOT NULL,
  count        INTEGER NOT NULL CHECK (count > 0),
  PRIMARY KEY (namespace_id, function_id, region, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_counts_function ON tokens_counts (function_id);

INSERT INTO tokens_counts
  SELECT coalesce(namespace_id, ''), coalesce(function_id, ''), region, project_id, count(*)
  FROM tokens GROUP BY 1, 2, 3, 4;

-- +goose StatementBegin
CREATE TRIGGER tokens_inserted AFTER INSERT ON tokens BEGIN
  INSERT INTO tokens_counts
    VALUES (coalesce(new.namespace_id, ''), coalesce(new.function_id, ''), new.region, new.project_id, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens BEGIN
  DELETE FROM tokens_counts
    WHERE namespace_id = coalesce(old.namespace_id, '') AND function_id = coalesce(old.function_id, '')
      AND region = old.region AND project_id = old.project_id AND count = 1;
  UPDATE tokens_counts SET count = count - 1
    WHERE namespace_id = coalesce(old.namespace_id, '') AND function_id = coalesce(old.function_id, '')
      AND region = old.region AND project_id = old.project_id;
END;
-- +goose StatementEnd

-- The scope of a token never changes. A change would make the counts wrong.
-- +goose StatementBegin
CREATE TRIGGER tokens_moved BEFORE UPDATE ON tokens
WHEN new.namespace_id IS NOT old.namespace_id OR new.function_id IS NOT old.function_id
  OR new.region <> old.region OR new.project_id <> old.project_id
BEGIN
  SELECT RAISE(ABORT, 'the scope of a token cannot change');
END;
-- +goose StatementEnd

-- With these columns, the rows before a page are skipped within the index.
DROP INDEX tokens_namespace;
DROP INDEX tokens_function;
CREATE INDEX tokens_namespace ON tokens (namespace_id, created_at, id, region, project_id);
CREATE INDEX tokens_function ON tokens (function_id, created_at, id, region, project_id);

-- +goose Down
DROP INDEX tokens_namespace;
DROP INDEX tokens_function;
CREATE INDEX tokens_namespace ON tokens (namespace_id, created_at, id);
CREATE INDEX tokens_function ON tokens (function_id, created_at, id);
DROP TRIGGER tokens_moved;
DROP TRIGGER tokens_deleted;
DROP TRIGGER tokens_inserted;
DROP TABLE tokens_counts;
