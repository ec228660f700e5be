// Package lenient wraps the protocol server of a provider that is built with
// terraform-plugin-framework. It applies three rules of terraform-plugin-sdk/v2, which
// configurations and states of the official provider depend on:
//
//   - An optional string that is configured as "" is not set.
//   - A null element of a configured map is removed.
//   - A plan that differs from the prior state only in spelling is not a change.
//
// The framework cannot express these rules: Terraform accepts a plan that differs from the
// configuration only with the flag of the older SDK. This package sets the flag for these
// three cases and no other, so that Terraform checks all other plans and each result of an
// apply. The package depends on the protocol and on no resource.
package lenient
