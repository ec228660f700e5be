//go:build !nextversion

package postgres

import "github.com/pressly/goose/v3"

// later are migrations of a later version, for the test of a rolling upgrade.
var later []*goose.Migration
