terraform {
  required_providers {
    scaleway = {
      source = "jeton-dev/scaleway"
    }
  }
}

# The API key is read from SCW_ACCESS_KEY and SCW_SECRET_KEY, or from the profile that
# "scw init" has written. Set SCW_API_URL to use a Jeton server instead of Scaleway.
provider "scaleway" {
  region = "fr-par"
}
