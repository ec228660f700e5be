// Package escape contains programs that try to escape from their sandbox, one per
// language, and hostile archives that try the same while they are built. It deploys and
// calls them, and returns an Outcome for each attempt.
package escape
