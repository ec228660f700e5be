resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Valid for one run, and stored in neither the plan nor the state.
ephemeral "scaleway_function_token" "run" {
  namespace_id = scaleway_function_namespace.main.id
  description  = "Terraform run"
  ttl          = "30m"
}

# Provisioners, provider blocks and write-only arguments accept ephemeral values.
resource "terraform_data" "warm_up" {
  provisioner "local-exec" {
    command     = "test -n \"$TOKEN\" # curl -H \"X-Auth-Token: $TOKEN\" https://..."
    environment = { TOKEN = ephemeral.scaleway_function_token.run.token }
  }
}
