resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Opens all private functions of the namespace, until it expires.
resource "scaleway_function_token" "partner" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "The partner's"
  expires_at   = "2030-01-31T12:00:00+01:00"
}

# Lives for 30 days, and is replaced by the first run in the last 10 of them.
resource "scaleway_function_token" "checkout" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "The checkout's"

  rotation {
    ttl           = "720h"
    early_renewal = "240h"
  }

  # The old token works until everything that uses it has the new one.
  lifecycle {
    create_before_destroy = true
  }
}
