// Package function is scaleway_function: the resource, its data source, and the data
// source scaleway_function_runtimes.
package function
