-- Objects of a bucket that nothing referred to when they were condemned. A change that
-- refers to one of them is refused, so that the object can be deleted later. Rows
-- remain for some time after the deletion of their objects, for changes of processes that
-- were paused. Times are nanoseconds since 1970.

-- +goose Up
CREATE TABLE condemned (
  key         TEXT COLLATE "C" PRIMARY KEY,
  function_id TEXT COLLATE "C" NOT NULL,
  at          BIGINT NOT NULL,
  deleted     BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX condemned_function ON condemned (function_id) WHERE NOT deleted;
CREATE INDEX condemned_at ON condemned (deleted, at);

-- The only row has the time of the last sweep of the bucket, and the key after which the
-- next one begins.
CREATE TABLE sweep (
  id    BOOLEAN PRIMARY KEY DEFAULT true CHECK (id),
  at    BIGINT NOT NULL,
  after TEXT NOT NULL
);
INSERT INTO sweep (at, after) VALUES (0, '');

-- +goose Down
DROP TABLE sweep, condemned;
