// Package lenient serves a provider that is made with terraform-plugin-framework
// under three rules of terraform-plugin-sdk/v2, which configurations and states of
// the official provider rely on:
//
//   - An optional string that is configured as "" is unset.
//   - A null element of a configured map is left out.
//   - A plan that differs from the prior state in spelling only is no change.
//
// The framework cannot express them: Terraform accepts a plan that differs from
// the configuration only with the flag of the older SDK. This package sets that
// flag for these three cases and for no other, so that Terraform checks all other
// plans and every result of an apply. It knows the protocol and no resource.
package lenient
