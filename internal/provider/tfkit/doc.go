// Package tfkit is what the provider's resources share: attributes and validators, the
// timeouts block, regions and references, secrets, diagnostics, resource identities, and
// the base types of resources and data sources. It knows no resource.
package tfkit
