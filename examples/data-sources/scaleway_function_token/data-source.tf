resource "scaleway_function_namespace" "main" {
  name = "shop"
}

resource "scaleway_function_token" "partner" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "Partner"
}

data "scaleway_function_token" "partner" {
  token_id = scaleway_function_token.partner.id
}

output "partner_can_call" {
  value = data.scaleway_function_token.partner.status == "ready" && !data.scaleway_function_token.partner.expired
}
