terraform {
  required_providers {
    scaleway = { source = "jeton-dev/scaleway" }
  }
}

# "11111111-1111-1111-1111-111111111111"
output "part" {
  value = provider::scaleway::id_from_regional_id("fr-par/11111111-1111-1111-1111-111111111111", null)
}
