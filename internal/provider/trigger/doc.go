// Package trigger is the resource scaleway_function_trigger.
package trigger
