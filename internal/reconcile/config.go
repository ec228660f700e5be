package reconcile

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/token"
)

// Config has the ports and limits of a Reconciler. Fields are required unless their
// comment says otherwise.
type Config struct {
	// Owners decides what this node works on, and is the store of its changes. Store is
	// read only.
	Owners     Owners
	Store      functions.Store
	Keys       KeyPairs
	Sealer     token.Sealer
	Archives   blob.Archives
	Artifacts  blob.Artifacts
	BuildCache blob.BuildCache
	Logs       Logs
	Builders   Builders
	Engine     Engine
	Instances  Instances
	Caches     Caches
	Sources    Sources
	// Names verifies the hostnames of domains. If it is nil, all are accepted.
	Names functions.Names
	// Certificates obtains certificates for domains. Optional.
	Certificates Certificates
	// Observer is notified of deployments and builds. Optional.
	Observer Observer

	// Limits has the size of archives and of calls.
	Limits functions.Limits
	// BuildTimeout is the time that one build may take, without waiting for others.
	BuildTimeout time.Duration
	// BuildDisk is the disk space in bytes that one build may occupy.
	BuildDisk int64
	// Volumes gives each build a file system of that size if the machine supports it.
	Volumes bool
	// BuildSlots is the number of builds that may run concurrently. One project
	// gets at most half of them, and at least one. Zero means one.
	BuildSlots int
	// CacheLimit is the size in bytes of a project's cache between builds.
	CacheLimit int64

	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
}

// check returns an error that names all required fields which are not set.
func (c Config) check() error {
	var missing []error
	for name, field := range map[string]any{
		"Owners": c.Owners, "Store": c.Store, "Keys": c.Keys, "Sealer": c.Sealer, "Archives": c.Archives, "Artifacts": c.Artifacts,
		"BuildCache": c.BuildCache, "Logs": c.Logs, "Builders": c.Builders, "Engine": c.Engine,
		"Instances": c.Instances, "Caches": c.Caches, "Sources": c.Sources, "BuildTimeout": c.BuildTimeout,
		"BuildDisk": c.BuildDisk, "CacheLimit": c.CacheLimit, "Now": c.Now, "NewID": c.NewID, "Log": c.Log,
	} {
		// An implementation of a port may be an empty struct.
		if v := reflect.ValueOf(field); !v.IsValid() || v.Kind() != reflect.Struct && v.IsZero() {
			missing = append(missing, fmt.Errorf("%s is required", name))
		}
	}
	return errors.Join(missing...)
}
