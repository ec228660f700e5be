package main

import (
	"os"
	"strings"
)

// disableLogs turns the logs of the plugin framework off unless a TF_LOG variable is set.
// By default the framework writes a hundred lines per resource, which Terraform parses and
// drops: a third of the time of a large plan.
func disableLogs(environment []string) {
	for _, variable := range environment {
		if strings.HasPrefix(variable, "TF_LOG") || strings.HasPrefix(variable, "TF_ACC_LOG") {
			return
		}
	}
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_PROVIDER_SCALEWAY"} {
		_ = os.Setenv(name, "OFF") // It fails only for invalid names.
	}
}
