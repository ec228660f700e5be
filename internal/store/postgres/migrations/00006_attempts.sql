-- Failed authentications by the network of the client, as counted by each node, without
-- those that a node refused because of the limit. Rows are deleted two minutes after their
-- last change.

-- +goose Up
CREATE UNLOGGED TABLE attempts (
  network TEXT COLLATE "C" NOT NULL,
  node    TEXT COLLATE "C" NOT NULL,
  total   BIGINT NOT NULL,
  at      TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (network, node)
);
CREATE INDEX attempts_at ON attempts (at);

-- +goose Down
DROP TABLE attempts;
