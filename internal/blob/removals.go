package blob

import "context"

// An Object is an archive or artifact in a store that several servers share.
type Object struct {
	// Key identifies one copy of an archive (Archive.Key), or an artifact (Ref.Key).
	Key        string
	FunctionID string
	// Archive is the digest of an archive, and Artifact the name of an artifact. The other
	// one is empty.
	Archive, Artifact string
}

// Removals decides which objects of a shared store are deleted, and when. An object is
// condemned first. A change that refers to it fails from then on, so that it can be
// deleted later, whatever the other servers do meanwhile. All methods are safe for
// concurrent use by several servers.
type Removals interface {
	// Condemn condemns those objects of a function to which nothing refers.
	Condemn(ctx context.Context, functionID string, objects []Object) error
	// CondemnCopies condemns copies of an archive besides kept, which must be committed.
	// It does nothing if kept is condemned.
	CondemnCopies(ctx context.Context, kept Object, copies []Object) error
	// Condemned returns the keys of the condemned objects of functions that are not
	// deleted yet.
	Condemned(ctx context.Context, functionIDs []string) (map[string]bool, error)

	// Due returns the keys of at most limit objects that may be deleted now.
	Due(ctx context.Context, limit int) (keys []string, err error)
	// Deleted records that condemned objects were deleted.
	Deleted(ctx context.Context, keys []string) error
	// BeginSweep reports whether the caller must look for objects to which nothing refers,
	// and after which key. Only one server at a time must. EndSweep records the last key.
	BeginSweep(ctx context.Context) (after string, begun bool, err error)
	EndSweep(ctx context.Context, after string) error
}
