package main

import (
	"os"
	"strings"
)

// quieten turns logs off that nobody has asked for. Without being told, the
// plugin framework writes a hundred lines for each resource, each of which
// Terraform reads, takes apart and drops: a third of the time of a large plan.
func quieten(environment []string) {
	for _, variable := range environment {
		if strings.HasPrefix(variable, "TF_LOG") || strings.HasPrefix(variable, "TF_ACC_LOG") {
			return
		}
	}
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_PROVIDER_SCALEWAY"} {
		_ = os.Setenv(name, "OFF") // It cannot fail for such a name.
	}
}
