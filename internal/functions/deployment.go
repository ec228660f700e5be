package functions

import (
	"context"
	"errors"
	"time"
)

// A Revision is the build of one state of a function. It never changes; a change of
// the function makes a new revision.
type Revision struct {
	ID      string
	Runtime string
	Handler string
	// Archive is the digest of the code, and Artifact the name of the result of its
	// build. Launch describes how to start it; only package runtime reads it.
	Archive  string
	Artifact string
	Launch   []byte
	// MemoryLimit and CPULimit are as in Function.
	MemoryLimit int
	CPULimit    int
	// Variables are all variables of an instance but the secrets, which are sealed.
	Variables map[string]string
	Secrets   map[string][]byte
}

// ErrSuperseded is returned by a step of a deployment that is no longer the current
// one: a later deployment was started, or the function is being deleted.
var ErrSuperseded = errors.New("superseded by a later deployment")

// StartDeployment starts a deployment of the code that was deployed last, or of the
// uploaded code if none was, with the function's current settings. It supersedes a
// deployment that is in progress.
func (f *Function) StartDeployment(now time.Time) {
	if f.Target == "" {
		f.Target = f.Archive
	}
	f.Generation++
	f.Status, f.ErrorMessage, f.BuildMessage = Pending, "", ""
	f.UpdatedAt = now
}

// StartBuild starts a deployment of the uploaded code, and builds it even if it was
// built before. If the last deployment failed, the build uses nothing of earlier
// builds, which may be the cause.
func (f *Function) StartBuild(now time.Time) {
	f.FromScratch = f.Status == Failed || f.Status == Pending && f.FromScratch
	f.Target, f.Rebuild = f.Archive, true
	f.StartDeployment(now)
}

// StartRebuild starts a deployment that builds the code of the serving revision
// again, for example because its files are lost. It does nothing, and returns false,
// if there is no revision or the status is transient.
func (f *Function) StartRebuild(now time.Time) bool {
	if f.Revision == nil || f.Status.Transient() {
		return false
	}
	f.Target, f.Rebuild = f.Revision.Archive, true
	f.StartDeployment(now)
	return true
}

// deploying returns ErrSuperseded unless the deployment with a generation is in
// progress.
func (f *Function) deploying(generation int64) error {
	if f.Generation != generation || f.Status != Pending {
		return ErrSuperseded
	}
	return nil
}

// SetBuildMessage records the progress of the build of a deployment. It returns
// ErrSuperseded if the deployment is not the current one.
func (f *Function) SetBuildMessage(generation int64, message string, now time.Time) error {
	if err := f.deploying(generation); err != nil {
		return err
	}
	f.BuildMessage, f.UpdatedAt = message, now
	return nil
}

// MarkReady ends a deployment: calls go to the revision from now on. It returns
// ErrSuperseded if the deployment is not the current one.
func (f *Function) MarkReady(generation int64, revision Revision, now time.Time) error {
	if err := f.deploying(generation); err != nil {
		return err
	}
	f.Status, f.ErrorMessage, f.BuildMessage, f.Rebuild, f.FromScratch = Ready, "", "", false, false
	f.Revision = &revision
	if f.ReadyAt.IsZero() {
		f.ReadyAt = now
	}
	f.UpdatedAt = now
	return nil
}

// Fail ends a deployment that failed. The serving revision, if any, continues to
// serve. It returns ErrSuperseded if the deployment is not the current one.
func (f *Function) Fail(generation int64, message string, now time.Time) error {
	if err := f.deploying(generation); err != nil {
		return err
	}
	f.Status, f.ErrorMessage, f.BuildMessage = Failed, message, ""
	f.UpdatedAt = now
	return nil
}

// MarkDeleting starts the deletion of a function.
func (f *Function) MarkDeleting(now time.Time) {
	f.Status, f.ErrorMessage, f.BuildMessage = Deleting, "", ""
	f.UpdatedAt = now
}

// RemoveFunction deletes a function whose instances and files were removed. It does
// nothing unless the function is being deleted.
func RemoveFunction(tx Tx, id string) error {
	f, err := tx.Function(id)
	if err != nil || f.Status != Deleting {
		return err
	}
	return tx.Delete(f)
}

// SetArchive records the digest of newly uploaded code, which is not deployed yet.
func (f *Function) SetArchive(digest string) error {
	if f.Status == Deleting {
		return transient("function", f.ID, f.Status)
	}
	f.Archive = digest
	return nil
}

// DeployFunction starts a deployment that builds the uploaded code. After a failed
// deployment, it repeats the whole deployment.
func (s *Service) DeployFunction(ctx context.Context, scope Scope, id string) (Function, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Function, error) {
		f, err := function(tx, scope, id)
		if err != nil {
			return f, err
		}
		if f.Status == Deleting {
			return f, transient("function", f.ID, f.Status)
		}
		if err := s.changeable(f.Runtime); err != nil {
			return f, err
		}
		f.StartBuild(s.config.Now())
		return f, tx.Put(f)
	})
}

// CodeUploaded records that the archive with the digest is the uploaded code of a
// function. It has no effect on calls until the function is deployed. It returns
// ErrCondemned if the stored archive with the key is going to be deleted; see Tx.Usable.
func (s *Service) CodeUploaded(ctx context.Context, id, digest, key string) error {
	return s.config.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Usable(key); err != nil {
			return err
		}
		f, err := tx.Function(id)
		if err != nil {
			return err
		}
		if err := f.SetArchive(digest); err != nil {
			return err
		}
		return tx.Put(f)
	})
}
