terraform {
  required_providers {
    scaleway = { source = "jeton-dev/scaleway" }
  }
}

# "fr-par-1"
output "part" {
  value = provider::scaleway::zone_from_id("fr-par-1/11111111-1111-1111-1111-111111111111", null)
}
