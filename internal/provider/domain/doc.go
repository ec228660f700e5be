// Package domain is the resource scaleway_function_domain.
package domain
