terraform import scaleway_function_trigger.main fr-par/11111111-1111-1111-1111-111111111111
