resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Tokens for the functions of the shop that expire within 30 days.
data "scaleway_function_tokens" "expiring" {
  namespace_id   = scaleway_function_namespace.main.id
  expired        = false
  expires_before = timeadd(plantimestamp(), "720h")
}

output "expiring" {
  value = {
    for token in data.scaleway_function_tokens.expiring.tokens : token.id => "${token.description}, until ${token.expires_at}"
  }
}
