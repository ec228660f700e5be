data "scaleway_function_runtimes" "go" {
  language = "Go"
  status   = "available"
}

# Warns when the runtime is no longer available.
check "runtime" {
  assert {
    condition     = contains(data.scaleway_function_runtimes.go.runtimes[*].name, "go126")
    error_message = "Go 1.26 is not available: move on to one of ${join(", ", data.scaleway_function_runtimes.go.runtimes[*].name)}."
  }
}
