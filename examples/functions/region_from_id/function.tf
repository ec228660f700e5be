terraform {
  required_providers {
    scaleway = { source = "jeton-dev/scaleway" }
  }
}

# "fr-par"
output "part" {
  value = provider::scaleway::region_from_id("fr-par/11111111-1111-1111-1111-111111111111", null)
}
