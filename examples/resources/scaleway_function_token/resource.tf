resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Grants access to all private functions of the namespace until it expires.
resource "scaleway_function_token" "partner" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "Partner"
  expires_at   = "2030-01-31T12:00:00+01:00"
}

# Valid for 30 days, and replaced by the first apply in the last 10 days.
resource "scaleway_function_token" "checkout" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "Checkout"

  rotation {
    ttl           = "720h"
    early_renewal = "240h"
  }

  # The old token stays valid until all resources that use it are updated.
  lifecycle {
    create_before_destroy = true
  }
}
