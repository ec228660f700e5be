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

resource "scaleway_function_cron" "report" {
  function_id = scaleway_function.report.id
  name        = "report"
  schedule    = "@daily"
}

data "scaleway_function_cron" "report" {
  function_id = scaleway_function.report.id
  name        = scaleway_function_cron.report.name
}

output "report_comes" {
  value = data.scaleway_function_cron.report.schedule
}
