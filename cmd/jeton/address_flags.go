package main

// addressFlags are the addresses of functions.
type addressFlags struct {
	// Clients print and use it. The default is the host by which a client has reached the
	// API, and the port of the gateway.
	GatewayURL string `name:"gateway-url" config:"GatewayURL" help:"Public URL of the gateway, if it is behind a proxy." placeholder:"URL" example:"https://gateway.example.com"`
	// Path-style addresses need no DNS name. Functions that browsers call at them share
	// one origin: disable them if functions set cookies for different users.
	GatewayPaths bool `config:"GatewayPaths" help:"Serve functions at /functions/NAMESPACE/NAME of the gateway too." negatable:""`
}
