// Package tfkit contains code shared by the provider's resources: attributes and validators, the
// timeouts block, regions and references, secrets, diagnostics, resource identities, and
// the base types of resources and data sources. It contains nothing that only one
// resource needs.
package tfkit
