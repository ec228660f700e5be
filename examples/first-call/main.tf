# One private function, and a token for it.

terraform {
  required_providers {
    scaleway = {
      source = "jeton-dev/scaleway"
    }
  }
}

resource "scaleway_function_namespace" "main" {
  name = "first-call"
}

resource "scaleway_function" "hello" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "hello"
  runtime      = "go126"
  handler      = "Handle"
  privacy      = "private"
  zip_file     = "${path.module}/hello.zip"
  zip_hash     = filesha256("${path.module}/hello.zip")
  deploy       = true
}

resource "scaleway_function_token" "hello" {
  function_id = scaleway_function.hello.id
}

output "host" {
  description = "The hostname of the function."
  value       = scaleway_function.hello.domain_name
}

output "token" {
  description = "The value of the header X-Auth-Token."
  sensitive   = true
  value       = scaleway_function_token.hello.token
}
