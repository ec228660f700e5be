# Private functions in four languages, and tokens of each kind: for one
# function, for the whole namespace, and one that expires.

terraform {
  required_providers {
    scaleway = {
      source = "jeton-dev/scaleway"
    }
  }
}

variable "expires_at" {
  description = "When the short-lived token stops opening its function."
  type        = string
  default     = "2030-01-31T12:00:00Z"
}

variable "languages" {
  description = "Which of the functions to make. The server needs the language's toolchain."
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
  description = "Functions that only a token opens."

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

# Opens every function of the namespace.
resource "scaleway_function_token" "namespace" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "for the operators"
}

# Each opens one function and no other.
resource "scaleway_function_token" "function" {
  for_each = scaleway_function.hello

  function_id = each.value.id
  description = "for callers of ${each.value.name}"
}

resource "scaleway_function_token" "short" {
  function_id = scaleway_function.hello["go"].id
  expires_at  = var.expires_at
}

output "hosts" {
  description = "The host name of each function, by language."
  value       = { for language, f in scaleway_function.hello : language => f.domain_name }
}

output "tokens" {
  description = "What to send in the header X-Auth-Token."
  sensitive   = true
  value = merge(
    { for language, t in scaleway_function_token.function : language => t.token },
    { namespace = scaleway_function_token.namespace.token, short = scaleway_function_token.short.token },
  )
}
