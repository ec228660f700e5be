// Package cron is scaleway_function_cron: the resource and its data source.
package cron
