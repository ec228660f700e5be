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

# Calls the private function at 06:00 UTC on weekdays.
resource "scaleway_function_cron" "report" {
  function_id = scaleway_function.report.id
  name        = "report"
  schedule    = "0 6 * * MON-FRI"

  args = jsonencode({
    recipients = ["sales", "stock"]
  })
}
