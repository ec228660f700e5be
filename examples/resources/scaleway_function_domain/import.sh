terraform import scaleway_function_domain.main fr-par/11111111-1111-1111-1111-111111111111
