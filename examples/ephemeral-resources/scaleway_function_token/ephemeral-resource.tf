resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Lives as long as the run, and is in no plan and no state.
ephemeral "scaleway_function_token" "run" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "A run of Terraform"
  ttl          = "30m"
}

# Provisioners, provider blocks and write-only arguments take ephemeral values.
resource "terraform_data" "warm_up" {
  provisioner "local-exec" {
    command     = "test -n \"$TOKEN\" # curl -H \"X-Auth-Token: $TOKEN\" https://..."
    environment = { TOKEN = ephemeral.scaleway_function_token.run.token }
  }
}
