resource "scaleway_function_namespace" "main" {
  name = "shop"
}

resource "scaleway_function" "report" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "report"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
}

# Calls the function, private as it is, at six in the morning of each working
# day, in UTC.
resource "scaleway_function_cron" "report" {
  function_id = scaleway_function.report.id
  name        = "report"
  schedule    = "0 6 * * MON-FRI"

  args = jsonencode({
    recipients = ["sales", "stock"]
  })
}
