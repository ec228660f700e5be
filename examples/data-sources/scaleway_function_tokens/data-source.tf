resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Who can call the functions of the shop, and will not be able to after a month?
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
