# Private functions in four languages, and three types of tokens: for one function, for
# the namespace, and one that expires.

terraform {
  required_providers {
    scaleway = {
      source = "jeton-dev/scaleway"
    }
  }
}

variable "expires_at" {
  description = "The time when the short-lived token expires, in RFC 3339 format."
  type        = string
  default     = "2030-01-31T12:00:00Z"
}

variable "languages" {
  description = "The functions to create. The server needs the toolchain of each language."
  type        = set(string)
  default     = ["go", "node", "php", "python"]
}

locals {
  functions = {
    go     = { runtime = "go126", handler = "Handle" }
    node   = { runtime = "node24", handler = "handler.handle" }
    php    = { runtime = "php84", handler = "handler.handle" }
    python = { runtime = "python314", handler = "handler.handle" }
  }
}

resource "scaleway_function_namespace" "main" {
  name        = "private-function"
  description = "Private functions"

  environment_variables = {
    GREETING = "Hello"
  }
}

resource "scaleway_function" "hello" {
  for_each = var.languages

  namespace_id = scaleway_function_namespace.main.id
  name         = "hello-${each.key}"
  runtime      = local.functions[each.key].runtime
  handler      = local.functions[each.key].handler
  privacy      = "private"
  zip_file     = "${path.module}/${each.key}.zip"
  zip_hash     = filesha256("${path.module}/${each.key}.zip")
  deploy       = true
}

# Grants access to all functions of the namespace.
resource "scaleway_function_token" "namespace" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "Operators"
}

# Each token grants access to one function.
resource "scaleway_function_token" "function" {
  for_each = scaleway_function.hello

  function_id = each.value.id
  description = "Callers of ${each.value.name}"
}

resource "scaleway_function_token" "short" {
  function_id = scaleway_function.hello["go"].id
  expires_at  = var.expires_at
}

output "hosts" {
  description = "The hostname of each function, by language."
  value       = { for language, f in scaleway_function.hello : language => f.domain_name }
}

output "tokens" {
  description = "The values of the header X-Auth-Token."
  sensitive   = true
  value = merge(
    { for language, t in scaleway_function_token.function : language => t.token },
    { namespace = scaleway_function_token.namespace.token, short = scaleway_function_token.short.token },
  )
}
