// Package lenient wraps a provider server built with terraform-plugin-framework and
// applies three rules of terraform-plugin-sdk/v2 that configurations and states of
// the official provider rely on:
//
//   - An optional string that is configured as "" is unset.
//   - A null element of a configured map is removed.
//   - A plan whose values are equivalent to those of the prior state is no change.
//
// The framework cannot express these rules, because Terraform accepts a plan that
// differs from the configuration only with the SDK's legacy flag. The package sets
// that flag in these three cases only, so that Terraform checks every other plan and
// every result of an apply. It works on the plugin protocol and does not depend on
// any resource.
package lenient
