resource "scaleway_function_namespace" "main" {
  name        = "shop"
  description = "The functions of the shop"

  environment_variables = {
    LOG_LEVEL = "info"
  }
}
