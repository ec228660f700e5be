package token

// ParseClaims is parseClaims, for tests of texts that Terraform does not pass on.
var ParseClaims = parseClaims
