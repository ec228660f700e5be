resource "scaleway_function_namespace" "main" {
  name = "shop"
}

resource "scaleway_function" "main" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "price"
  runtime      = "node24"
  handler      = "handler.handle"
  privacy      = "private"
  memory_limit = 256
  timeout      = 30

  # The archive is uploaded, built and deployed when its content changes.
  zip_file = "function.zip"
  deploy   = true
}
