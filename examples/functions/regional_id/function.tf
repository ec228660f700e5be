terraform {
  required_providers {
    scaleway = { source = "jeton-dev/scaleway" }
  }
}

# "fr-par/11111111-1111-1111-1111-111111111111"
output "id" {
  value = provider::scaleway::regional_id("fr-par", "11111111-1111-1111-1111-111111111111")
}
