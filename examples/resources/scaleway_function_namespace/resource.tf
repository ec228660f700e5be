resource "scaleway_function_namespace" "main" {
  name        = "shop"
  description = "Functions of the shop"

  environment_variables = {
    LOG_LEVEL = "info"
  }
}
