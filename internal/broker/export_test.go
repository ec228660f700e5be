package broker

// PublicOnly is what keeps connections to queues that callers name on the internet.
var PublicOnly = publicOnly
