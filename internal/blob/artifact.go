package blob

import "context"

// A Ref names an artifact. The content of an artifact never changes.
type Ref struct {
	// FunctionID is the function that the artifact was built for.
	FunctionID string
	// Name is unique among the artifacts of the function.
	Name string
}

// Key identifies the artifact for Removals.
func (r Ref) Key() string { return "artifacts/" + r.FunctionID + "/" + r.Name }

// Artifacts stores what builds produce, one folder tree per artifact. All methods
// are safe for concurrent use, and return ErrInvalidName for a Ref or function ID
// that cannot be a file name.
type Artifacts interface {
	Local

	// Put stores the folder dir, which must be a folder from Workspace or within
	// one, as the artifact ref. The caller must not use dir afterwards.
	Put(ctx context.Context, ref Ref, dir string) error
	// Has reports whether an artifact is stored.
	Has(ctx context.Context, ref Ref) (bool, error)
	// Keep removes the artifacts of a function except those whose names needed
	// returns. This process stores no artifact while Keep runs. If needed fails,
	// Keep returns its error and removes nothing.
	Keep(ctx context.Context, functionID string, needed func() (names []string, err error)) error
	// Delete removes all artifacts of a function. It succeeds if there are none.
	Delete(ctx context.Context, functionID string) error
	// Functions returns the IDs of the functions that have artifacts, in any order.
	Functions(ctx context.Context) ([]string, error)
}

// Local provides folders on this machine: of artifacts, for engines that run
// processes here, and of builds. An implementation on remote storage keeps a
// cache of artifacts on the machine. All methods are safe for concurrent use.
type Local interface {
	// Local returns the folder of an artifact, which must not be changed. It exists
	// until release is called or the artifact is removed; release may be called
	// several times. Returns ErrNotFound or ErrInvalidName.
	Local(ctx context.Context, ref Ref) (dir string, release func(), err error)
	// Workspace creates an empty folder in which a build prepares an artifact.
	// The caller removes it.
	Workspace(ctx context.Context) (dir string, err error)
}
