terraform {
  required_providers {
    scaleway = {
      source = "jeton-dev/scaleway"
    }
  }
}

# The keys come from SCW_ACCESS_KEY and SCW_SECRET_KEY, or from the profile that
# "scw init" wrote. SCW_API_URL names a Jeton server; without it, Scaleway's own
# API is called.
provider "scaleway" {
  region = "fr-par"
}
