-- A text that no other change has. After a commit that returned an error, it shows
-- whether the change was committed.

-- +goose Up
ALTER TABLE changes ADD COLUMN uid TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE changes DROP COLUMN uid;
