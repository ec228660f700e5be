package store

import (
	"errors"
	"time"
)

var (
	// ErrFenced is returned for a renewal of an incarnation that is not a member.
	ErrFenced = errors.New("the node is not a member of the cluster any more: another node has fenced it")
	// ErrDiverged is returned for a renewal by a node that has applied a change which the
	// database does not have, or no longer keeps.
	ErrDiverged = errors.New("the last change that the node has applied is not in the database")
	// ErrRenewed is returned when a member that has renewed its lease is to be fenced.
	ErrRenewed = errors.New("the member has renewed its lease")
	// ErrNotOwner is returned by a transaction for work that another member does.
	ErrNotOwner = errors.New("another member of the cluster owns this work")
)

// A Renewal is the result of renewing a lease.
type Renewal struct {
	// Head is the last change of the database. The member must apply it before it renews
	// again.
	Head Position
	// Time is the clock of the database.
	Time time.Time
}

// A Lease is what a member has recorded with its last renewal.
type Lease struct {
	Incarnation string
	// Renewals counts the renewals. It goes back if the database does.
	Renewals int64
	Applied  Position
	// Ahead is how far the clock of the member is ahead of that of the database.
	Ahead time.Duration
}

// A Standing is a member with its lease, as one node sees it.
type Standing struct {
	Member Member
	Lease  Lease
	// Left is how long the lease lasts at most, 0 if it has ended.
	Left time.Duration
	// Self means that the member is the node itself.
	Self bool
}
