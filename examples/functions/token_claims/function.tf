terraform {
  required_providers {
    scaleway = { source = "jeton-dev/scaleway" }
  }
}

resource "scaleway_function_namespace" "main" {
  name = "shop"
}

resource "scaleway_function_token" "partner" {
  namespace_id = scaleway_function_namespace.main.id
  expires_at   = "2040-01-31T12:00:00Z"
}

output "good_until" {
  value = nonsensitive(provider::scaleway::token_claims(scaleway_function_token.partner.token).expires_at)
}
