-- Each change keeps its object, as in the object's own table, so that a follower
-- can replay the change. It is NULL in changes of older versions.

-- +goose Up
ALTER TABLE changes ADD COLUMN body TEXT;

-- +goose Down
ALTER TABLE changes DROP COLUMN body;
