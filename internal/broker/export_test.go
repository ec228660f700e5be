package broker

// PublicOnly exports publicOnly for tests.
var PublicOnly = publicOnly
