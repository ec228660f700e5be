// Package provider is the Terraform provider: its configuration, and the lists of its
// resources, data sources, ephemeral resources and functions.
//
// Each resource has a package of its own below this one; tfkit is what they share. Types
// and states are those of the official provider, so either can replace the other. The
// packages client (calls of the API), regional (IDs), spelling (equal values) and lenient
// (rules of the older SDK) contain nothing about single resources. The provider imports no package of the server
// except grammar.
package provider
