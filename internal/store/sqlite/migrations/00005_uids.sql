-- A value that no other change has. After a commit that returned an error, it says
-- whether the commit took place.

-- +goose Up
ALTER TABLE changes ADD COLUMN uid TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE changes DROP COLUMN uid;
