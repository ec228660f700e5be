resource "scaleway_function_namespace" "main" {
  name = "shop"
}

resource "scaleway_function" "orders" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "orders"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
}

# Create a DNS record of type CNAME from orders.example.com to this name.
output "cname_target" {
  value = scaleway_function.orders.domain_name
}

resource "scaleway_function_domain" "orders" {
  function_id = scaleway_function.orders.id
  hostname    = "orders.example.com"
}
