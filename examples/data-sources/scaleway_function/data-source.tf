resource "scaleway_function_namespace" "main" {
  name = "shop"
}

resource "scaleway_function" "price" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "price"
  runtime      = "node24"
  handler      = "handler.handle"
  privacy      = "private"
}

# Look up a function by its ID, or by its name and namespace.
data "scaleway_function" "by_id" {
  function_id = scaleway_function.price.id
}

data "scaleway_function" "by_name" {
  namespace_id = scaleway_function_namespace.main.id
  name         = scaleway_function.price.name
}

output "url" {
  value = data.scaleway_function.by_name.url
}
