resource "scaleway_function_namespace" "main" {
  name = "shop"
}

# Look up a namespace by its ID, or by its name and project.
data "scaleway_function_namespace" "by_id" {
  namespace_id = scaleway_function_namespace.main.id
}

data "scaleway_function_namespace" "by_name" {
  name       = scaleway_function_namespace.main.name
  project_id = scaleway_function_namespace.main.project_id
}

# A token for all functions of a namespace that another configuration manages.
resource "scaleway_function_token" "partner" {
  namespace_id = data.scaleway_function_namespace.by_name.id
  description  = "Partner"
}
