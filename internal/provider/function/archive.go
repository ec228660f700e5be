package function

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// An archive is identified by its digests, unless the configuration has zip_hash:
// then that decides. The service returns no digest, so the state and the private
// data keep it.
//
// Terraform plans a change twice: for the plan, and again when the plan is applied,
// and refuses a second plan that differs. The file may change between the two, so
// what is planned must not depend on how the file is at the moment of planning. It
// depends on how the file was when the state was refreshed, which the plan carries
// along; see ADR 15.

const zipDigest = "zip_digest"

// archives is the private data about the archives of a function.
type archives struct {
	// Service is the archive that the service has.
	Service client.Archive `json:"service"`
	// Seen is the archive in zip_file at the last refresh; not known where it could
	// not be read, and after a change.
	Seen client.Archive `json:"seen"`
	// doubt says that an archive was uploaded and it is not known that it was put
	// into service. The service does not say, so the archive is uploaded again.
	doubt bool
}

// The keys of the private data.
const (
	archivesKey    = "archives"
	archiveInDoubt = "archive_in_doubt"
)

func readArchives(ctx context.Context, private tfkit.PrivateState, diags *diag.Diagnostics) archives {
	var a archives
	stored, problems := private.GetKey(ctx, archivesKey)
	diags.Append(problems...)
	doubt, problems := private.GetKey(ctx, archiveInDoubt)
	diags.Append(problems...)
	a.doubt = string(doubt) == strconv.FormatBool(true)
	if len(stored) == 0 {
		return a
	}
	if err := json.Unmarshal(stored, &a); err != nil {
		diags.AddError("The state holds malformed private data", tfkit.Sentence(err))
	}
	return a
}

// keep writes a, unless there is nothing to write and never was.
func (a archives) keep(ctx context.Context, private tfkit.PrivateState, diags *diag.Diagnostics) {
	if before, _ := private.GetKey(ctx, archiveInDoubt); a.doubt || len(before) > 0 {
		diags.Append(private.SetKey(ctx, archiveInDoubt, strconv.AppendBool(nil, a.doubt))...)
	}
	if before, _ := private.GetKey(ctx, archivesKey); !a.Service.Known() && !a.Seen.Known() && len(before) == 0 {
		return
	}
	encoded, err := json.Marshal(a)
	if err != nil {
		diags.AddError("Cannot keep the digests of the archive", tfkit.Sentence(err))
		return
	}
	diags.Append(private.SetKey(ctx, archivesKey, encoded)...)
}

// of returns the archive that the service has, as far as the state says so.
func (a archives) of(m *model) client.Archive {
	if digest := m.ZipDigest.ValueString(); digest != "" && digest != a.Service.Digest {
		return client.Archive{Digest: digest}
	}
	return a.Service
}

// followsContent reports whether the content of the archive decides if it is
// uploaded.
func (m *model) followsContent() bool {
	return !m.ZipFile.IsNull() && m.ZipHash.IsNull()
}

// samePlace reports whether the archive is where it was.
func (m *model) samePlace(prior *model) bool {
	return m.ZipFile.Equal(prior.ZipFile) && prior.ZipHash.IsNull()
}

// plannedDigest returns the prior digest where the archive is not to be uploaded, and
// an unknown one where it may be. Beside other changes, others, the file is not
// looked at again. A file that cannot be read is no change, as on a machine that
// plans without having built the code; if the plan says that the code changes, it is
// an error when the plan is applied.
func (m *model) plannedDigest(prior *model, known archives, others bool, diags *diag.Diagnostics) types.String {
	switch {
	case !m.followsContent():
		return types.StringNull()
	case prior == nil || m.ZipFile.IsUnknown():
		return types.StringUnknown()
	}
	service := known.of(prior)
	switch {
	case prior.ZipFile.IsNull() && service.Known():
		// Imported. The digest stays null until the next refresh, whether the code is
		// uploaded or not: see warnOfOtherCode.
		return prior.ZipDigest
	case !service.Known() && m.samePlace(prior):
		// A state of the official provider. Read sets the digest.
		return prior.ZipDigest
	case !service.Known() || known.doubt || !m.samePlace(prior):
		return types.StringUnknown()
	case others && !known.Seen.Known():
		return types.StringUnknown()
	case others:
		return digestUnless(!known.Seen.Same(service), prior)
	}
	file, err := client.ReadArchive(m.ZipFile.ValueString(), service)
	if err == nil {
		return digestUnless(!file.Same(service), prior)
	}
	diags.AddAttributeWarning(path.Root("zip_file"), "The archive cannot be read",
		tfkit.Sentence(err)+" The code of the function stays as it is.")
	return digestUnless(known.Seen.Known() && !known.Seen.Same(service), prior)
}

func digestUnless(changed bool, prior *model) types.String {
	if changed {
		return types.StringUnknown()
	}
	return prior.ZipDigest
}

// warnOfOtherCode reports an archive that is not the code of an imported function.
// Its upload shows nowhere else in the plan: the digest of an imported function is
// planned to stay null, so that a file that changes afterwards does not contradict
// the plan.
func (r *functionResource) warnOfOtherCode(ctx context.Context, m, prior *model, known archives, diags *diag.Diagnostics) {
	service := known.of(prior)
	if !m.followsContent() || m.ZipFile.IsUnknown() || !prior.ZipFile.IsNull() || !service.Known() {
		return
	}
	file, err := client.ReadArchive(m.ZipFile.ValueString(), service)
	if err != nil || file.Same(service) {
		return
	}
	if service.Content == "" && !known.doubt {
		id, err := regional.Parse(prior.ID.ValueString())
		if err == nil && r.hasArchive(ctx, id, file) {
			return
		}
	}
	diags.AddAttributeWarning(path.Root("zip_file"), "The archive holds other code than the function has",
		"The function was imported. When this is applied, "+m.ZipFile.ValueString()+" is uploaded.")
}

// archiveChange compares the archive with the one that the service has, now that the
// plan is applied, and reports whether it is to be uploaded. It sets a digest that
// turns out to be the prior one. An archive that the plan says not to change, and
// that has changed since, is an error.
func (r *functionResource) archiveChange(ctx context.Context, id regional.ID, m, prior *model, known *archives, diags *diag.Diagnostics) bool {
	switch {
	case m.ZipFile.IsNull():
		return false
	case !m.followsContent() && known.doubt:
		return true
	case !m.followsContent() && m.ZipHash.Equal(prior.ZipHash):
		return !m.ZipFile.Equal(prior.ZipFile)
	case !m.followsContent() && !prior.ZipFile.IsNull(), m.followsContent() && !prior.ZipHash.IsNull():
		return true
	}
	service := known.of(prior)
	file, err := client.ReadArchive(m.ZipFile.ValueString(), service)
	switch {
	case err != nil:
		// Upload returns the error, if the code is to change.
		if planned := known.Seen.Known() && !known.Seen.Same(service); planned || known.doubt || !m.samePlace(prior) {
			return true
		}
	case known.doubt:
		return true
	case !service.Known() && m.samePlace(prior), file.Same(service):
	case !m.ZipDigest.IsUnknown() && !m.ZipDigest.IsNull():
		known.Seen = client.Archive{}
		diags.AddAttributeError(path.Root("zip_file"), "The archive has changed since it was planned",
			m.ZipFile.ValueString()+" holds other code now than when the state was refreshed, and the plan says that the code stays as it is. "+
				"Nothing was changed: plan and apply again.")
		return false
	case service.Content == "" && r.hasArchive(ctx, id, file):
		known.Service = file
		if service.Known() {
			known.Service.Digest = service.Digest
		}
	default:
		return true
	}
	if m.ZipDigest.IsUnknown() {
		m.ZipDigest = prior.ZipDigest
		if prior.ZipDigest.IsNull() && known.Service.Known() {
			m.setDigest(known.Service)
		}
	}
	return false
}

// readDigest takes the archive in zip_file for the one that the service has, where
// the state does not say which that is: states of the official provider do not.
func (m *model) readDigest(known *archives) {
	known.Seen = client.Archive{}
	if !m.followsContent() {
		return
	}
	service := known.of(m)
	file, err := client.ReadArchive(m.ZipFile.ValueString(), service)
	if err == nil {
		known.Seen = file
		if !service.Known() {
			service = file
		}
		if file.Digest == service.Digest {
			known.Service = file
		}
	}
	if m.ZipDigest.IsNull() && service.Known() {
		m.setDigest(service)
	}
}

// setDigest notes which archive the service has.
func (m *model) setDigest(service client.Archive) {
	m.ZipDigest = types.StringNull()
	if m.followsContent() {
		m.ZipDigest = types.StringValue(service.Digest)
	}
}

// hasArchive reports whether the service has the archive, by its content. If that
// cannot be read back, it reports that it has not.
func (r *functionResource) hasArchive(ctx context.Context, id regional.ID, file client.Archive) bool {
	for _, whole := range []bool{false, true} {
		service, err := r.Backend.CodeArchive(ctx, id, whole)
		if err != nil {
			tflog.Info(ctx, "the code of the function cannot be read back", map[string]any{"error": err.Error()})
			return false
		}
		if service.Same(file) {
			return true
		}
		if service.Content != "" {
			return false
		}
	}
	return false
}
