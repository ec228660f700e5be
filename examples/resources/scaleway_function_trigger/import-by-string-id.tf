import {
  to = scaleway_function_trigger.main
  id = "fr-par/11111111-1111-1111-1111-111111111111"
}
