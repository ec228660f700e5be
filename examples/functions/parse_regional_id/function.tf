terraform {
  required_providers {
    scaleway = { source = "jeton-dev/scaleway" }
  }
}

# { region = "fr-par", id = "11111111-1111-1111-1111-111111111111" }
output "parts" {
  value = provider::scaleway::parse_regional_id("fr-par/11111111-1111-1111-1111-111111111111")
}
