resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Opens all private functions of the namespace, until it expires.
resource "scaleway_function_token" "partner" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "The partner's"
  expires_at   = "2030-01-31T12:00:00+01:00"
}
