resource "scaleway_function_namespace" "main" {
  name = "shop"
}

resource "scaleway_function" "orders" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "orders"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
}

# Calls the function for each message of a queue.
resource "scaleway_function_trigger" "queue" {
  function_id = scaleway_function.orders.id
  name        = "new-orders"

  sqs {
    queue = "orders"
  }
}

# Calls the function for each message of the subjects below orders.
resource "scaleway_function_trigger" "subject" {
  function_id = scaleway_function.orders.id
  name        = "changes"
  description = "Changes of orders"

  nats {
    account_id = "fr-par/11111111-1111-1111-1111-111111111111"
    subject    = "orders.>"
  }
}
