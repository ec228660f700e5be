// Package namespace is scaleway_function_namespace: the resource and its data source.
package namespace
