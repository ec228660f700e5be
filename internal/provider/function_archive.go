package provider

import (
	"context"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// The archive is known by its digest, unless the configuration says by zip_hash
// what counts as another one: those who do may pack archives that differ each
// time. The service does not tell a digest, so the state keeps it.

const zipDigest = "zip_digest"

// followsContent reports whether the content of the archive decides if it is
// uploaded.
func (m *functionModel) followsContent() bool {
	return !m.ZipFile.IsNull() && m.ZipHash.IsNull()
}

// planDigest writes into the plan whether the archive is another one than that of
// the prior state, which is nil for a function that is to be made.
func (m *functionModel) planDigest(ctx context.Context, prior *functionModel, plan *tfsdk.Plan, diags *diag.Diagnostics) {
	m.ZipDigest = m.digestAfter(prior, m.ZipDigest.IsUnknown())
	diags.Append(plan.SetAttribute(ctx, path.Root(zipDigest), m.ZipDigest)...)
}

// digestAfter returns the prior digest where the archive is to stay as it is, and
// an unknown one where it is to be uploaded, because it may be packed anew before
// the plan is carried out. A state that has no digest yet is no change: Read sets
// it. Nor is a file that is not there, as on a machine that plans without having
// built the code; but if something else changes, then it may be there when that
// is carried out.
func (m *functionModel) digestAfter(prior *functionModel, changing bool) types.String {
	switch {
	case !m.followsContent():
		return types.StringNull()
	case prior == nil || m.ZipFile.IsUnknown():
		return types.StringUnknown()
	case prior.ZipDigest.IsNull():
		if m.samePlace(prior) {
			return prior.ZipDigest
		}
		return types.StringUnknown()
	}
	digest, err := client.ArchiveDigest(m.ZipFile.ValueString())
	if digest == prior.ZipDigest.ValueString() || (err != nil && !changing && m.samePlace(prior)) {
		return prior.ZipDigest
	}
	return types.StringUnknown()
}

// samePlace reports whether the archive is where it was.
func (m *functionModel) samePlace(prior *functionModel) bool {
	return m.ZipFile.Equal(prior.ZipFile) && prior.ZipHash.IsNull()
}

// archiveChanged reports whether the archive is to be uploaded, now that the plan
// is carried out, and settles a digest that turns out to be the prior one. Where the
// digest is known, it decides, and a file that has only moved is the same.
func (m *functionModel) archiveChanged(prior *functionModel) bool {
	switch {
	case m.ZipFile.IsNull():
		return false
	case !m.ZipHash.Equal(prior.ZipHash):
		return true
	case m.ZipDigest.IsUnknown():
		m.ZipDigest = m.digestAfter(prior, false)
		return m.ZipDigest.IsUnknown()
	default:
		return m.ZipDigest.IsNull() && !m.ZipFile.Equal(prior.ZipFile)
	}
}

// readDigest takes the archive as it lies there for the one that the service has,
// where the state does not say which that is: the official provider's do not.
func (m *functionModel) readDigest() {
	if !m.followsContent() || !m.ZipDigest.IsNull() {
		return
	}
	if digest, err := client.ArchiveDigest(m.ZipFile.ValueString()); err == nil {
		m.ZipDigest = types.StringValue(digest)
	}
}

// setDigest notes which archive the service has.
func (m *functionModel) setDigest(digest string) {
	m.ZipDigest = types.StringNull()
	if m.followsContent() {
		m.ZipDigest = types.StringValue(digest)
	}
}

// archiveInDoubt is the private data of a function whose archive was sent for the
// first time: whether it is not known that it was put into service.
const archiveInDoubt = "archive_in_doubt"

// doubtArchive notes, beside a state that names no archive, whether the change that
// would name one is under way or has failed half-way.
func doubtArchive(ctx context.Context, private privateState, prior *functionModel, doubt bool, diags *diag.Diagnostics) {
	if prior.ZipFile.IsNull() {
		diags.Append(private.SetKey(ctx, archiveInDoubt, strconv.AppendBool(nil, doubt))...)
	}
}

// hasArchive reports whether the service has the planned archive already, and in
// service. A state that names no archive, as after an import, leaves no other way
// to tell than to read the code back. If that fails the archive is uploaded.
func (r *functionResource) hasArchive(ctx context.Context, id regional.ID, private privateState, prior, m *functionModel, diags *diag.Diagnostics) bool {
	doubt, problems := private.GetKey(ctx, archiveInDoubt)
	diags.Append(problems...)
	if !prior.ZipFile.IsNull() || string(doubt) == strconv.FormatBool(true) {
		return false
	}
	digest, err := client.ArchiveDigest(m.ZipFile.ValueString())
	if err != nil {
		return false
	}
	current, err := r.backend.CodeDigest(ctx, id)
	if err != nil {
		tflog.Info(ctx, "the code of the function cannot be read back", map[string]any{"error": err.Error()})
		return false
	}
	if current != digest {
		return false
	}
	m.setDigest(digest)
	return true
}
