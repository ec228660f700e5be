terraform import scaleway_function_token.main fr-par/11111111-1111-1111-1111-111111111111
