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

// An archive is identified by its digests, unless zip_hash is configured: then only a
// change of zip_hash uploads it. The service does not return a digest, so the state and
// the private state store it.
//
// Terraform plans a change twice, for the plan and when it applies the plan, and refuses a
// second plan that differs. The file may change in between. The planned values therefore
// depend on the file at the last refresh, which the plan contains, and not on the current
// file; see ADR 15.

const zipDigest = "zip_digest"

// archives is the private state about the archives of a function.
type archives struct {
	// Service is the archive that the service has; unknown if Known is false.
	Service client.Archive `json:"service"`
	// Seen is the archive in zip_file at the last refresh; unknown if the file could not
	// be read, and after an apply.
	Seen client.Archive `json:"seen"`
	// uncertain is set while an upload or its deployment may have failed. The service
	// does not return its archive's digest, so the archive is uploaded again.
	uncertain bool
}

// The keys of the private state.
const (
	archivesKey  = "archives"
	uncertainKey = "archive_in_doubt"
)

// readArchives reads the private state.
func readArchives(ctx context.Context, private tfkit.PrivateState, diags *diag.Diagnostics) archives {
	var a archives
	stored, problems := private.GetKey(ctx, archivesKey)
	diags.Append(problems...)
	uncertain, problems := private.GetKey(ctx, uncertainKey)
	diags.Append(problems...)
	a.uncertain = string(uncertain) == strconv.FormatBool(true)
	if len(stored) == 0 {
		return a
	}
	if err := json.Unmarshal(stored, &a); err != nil {
		diags.AddError("Invalid private data in the state", tfkit.Sentence(err))
	}
	return a
}

// store writes the private state, unless it is empty and always was.
func (a archives) store(ctx context.Context, private tfkit.PrivateState, diags *diag.Diagnostics) {
	if before, _ := private.GetKey(ctx, uncertainKey); a.uncertain || len(before) > 0 {
		diags.Append(private.SetKey(ctx, uncertainKey, strconv.AppendBool(nil, a.uncertain))...)
	}
	if before, _ := private.GetKey(ctx, archivesKey); !a.Service.Known() && !a.Seen.Known() && len(before) == 0 {
		return
	}
	encoded, err := json.Marshal(a)
	if err != nil {
		diags.AddError("Cannot store the digests of the archive", tfkit.Sentence(err))
		return
	}
	diags.Append(private.SetKey(ctx, archivesKey, encoded)...)
}

// atService returns the service's archive according to the state. A digest in the state that
// differs from the private state takes precedence.
func (a archives) atService(m *model) client.Archive {
	if digest := m.ZipDigest.ValueString(); digest != "" && digest != a.Service.Digest {
		return client.Archive{Digest: digest}
	}
	return a.Service
}

// followsContent reports whether a change of the archive's content uploads it.
func (m *model) followsContent() bool {
	return !m.ZipFile.IsNull() && m.ZipHash.IsNull()
}

// samePath reports whether zip_file is unchanged and zip_hash was not set.
func (m *model) samePath(prior *model) bool {
	return m.ZipFile.Equal(prior.ZipFile) && prior.ZipHash.IsNull()
}

// plannedDigest returns the prior digest if the archive is not uploaded, and an unknown
// one if it may be. If there are other changes, it does not read the file again. A file
// that cannot be read is not a change, for machines that plan without building the code;
// the apply then fails if the plan changes the code.
func (m *model) plannedDigest(prior *model, known archives, otherChanges bool, diags *diag.Diagnostics) types.String {
	switch {
	case !m.followsContent():
		return types.StringNull()
	case prior == nil || m.ZipFile.IsUnknown():
		return types.StringUnknown()
	}
	service := known.atService(prior)
	switch {
	case prior.ZipFile.IsNull() && service.Known():
		// An imported function. The digest stays null until the next refresh, whether
		// the code is uploaded or not: see warnOfOtherCode.
		return prior.ZipDigest
	case !service.Known() && m.samePath(prior):
		// A state of the official provider. Read sets the digest.
		return prior.ZipDigest
	case !service.Known() || known.uncertain || !m.samePath(prior):
		return types.StringUnknown()
	case otherChanges && !known.Seen.Known():
		return types.StringUnknown()
	case otherChanges:
		return digestUnless(!known.Seen.Same(service), prior)
	}
	file, err := client.ReadArchive(m.ZipFile.ValueString(), service)
	if err == nil {
		return digestUnless(!file.Same(service), prior)
	}
	diags.AddAttributeWarning(path.Root("zip_file"), "Cannot read the archive",
		tfkit.Sentence(err)+" The code of the function does not change.")
	return digestUnless(known.Seen.Known() && !known.Seen.Same(service), prior)
}

// digestUnless returns the prior digest, or an unknown one if the archive has changed.
func digestUnless(changed bool, prior *model) types.String {
	if changed {
		return types.StringUnknown()
	}
	return prior.ZipDigest
}

// warnOfOtherCode warns if the archive differs from the code of an imported function. The
// plan does not show the upload otherwise: its planned digest is null, so that a later
// change of the file does not contradict the plan.
func (r *functionResource) warnOfOtherCode(ctx context.Context, m, prior *model, known archives, diags *diag.Diagnostics) {
	service := known.atService(prior)
	if !m.followsContent() || m.ZipFile.IsUnknown() || !prior.ZipFile.IsNull() || !service.Known() {
		return
	}
	file, err := client.ReadArchive(m.ZipFile.ValueString(), service)
	if err != nil || file.Same(service) {
		return
	}
	if service.Content == "" && !known.uncertain {
		id, err := regional.Parse(prior.ID.ValueString())
		if err == nil && r.hasArchive(ctx, id, file) {
			return
		}
	}
	diags.AddAttributeWarning(path.Root("zip_file"), "The archive differs from the code of the function",
		"The function was imported, and the apply uploads "+m.ZipFile.ValueString()+".")
}

// archiveChange compares the archive with that of the service during an apply, and
// reports whether to upload it. If the archive is unchanged, it sets an unknown digest to
// the prior one. It adds an error if the archive has changed but the plan does not change
// it.
func (r *functionResource) archiveChange(ctx context.Context, id regional.ID, m, prior *model, known *archives, diags *diag.Diagnostics) bool {
	switch {
	case m.ZipFile.IsNull():
		return false
	case !m.followsContent() && known.uncertain:
		return true
	case !m.followsContent() && m.ZipHash.Equal(prior.ZipHash):
		return !m.ZipFile.Equal(prior.ZipFile)
	case !m.followsContent() && !prior.ZipFile.IsNull(), m.followsContent() && !prior.ZipHash.IsNull():
		return true
	}
	service := known.atService(prior)
	file, err := client.ReadArchive(m.ZipFile.ValueString(), service)
	switch {
	case err != nil:
		// If the plan changes the code, Upload returns the error of the file.
		if planned := known.Seen.Known() && !known.Seen.Same(service); planned || known.uncertain || !m.samePath(prior) {
			return true
		}
	case known.uncertain:
		return true
	case !service.Known() && m.samePath(prior), file.Same(service):
	case !m.ZipDigest.IsUnknown() && !m.ZipDigest.IsNull():
		known.Seen = client.Archive{}
		diags.AddAttributeError(path.Root("zip_file"), "The archive has changed since the plan",
			m.ZipFile.ValueString()+" has changed since the state was refreshed, but the plan does not change the code. "+
				"Nothing was applied: plan and apply again.")
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

// readDigest sets the digest during a refresh. If the state does not contain the digest of
// the service's archive, as after the official provider, it assumes the file in zip_file.
func (m *model) readDigest(known *archives) {
	known.Seen = client.Archive{}
	if !m.followsContent() {
		return
	}
	service := known.atService(m)
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

// setDigest sets the digest of the service's archive, null if zip_hash is set.
func (m *model) setDigest(service client.Archive) {
	m.ZipDigest = types.StringNull()
	if m.followsContent() {
		m.ZipDigest = types.StringValue(service.Digest)
	}
}

// hasArchive downloads the code and reports whether it has the content of the archive. It
// returns false if the download fails.
func (r *functionResource) hasArchive(ctx context.Context, id regional.ID, file client.Archive) bool {
	for _, whole := range []bool{false, true} {
		service, err := r.Backend.CodeArchive(ctx, id, whole)
		if err != nil {
			tflog.Info(ctx, "cannot download the code of the function", map[string]any{"error": err.Error()})
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
