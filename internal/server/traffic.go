package server

import (
	"fmt"

	"github.com/jeton-dev/jeton/internal/gateway"
)

// The defaults of Traffic.
const (
	DefaultConnections        = 16384
	DefaultAddressConnections = 4096
	DefaultMinBodyRate        = 1024
	DefaultGatewayMemory      = 256 << 20
	DefaultBurst              = 20
	DefaultACMEBudget         = 50
)

// Traffic bounds what callers may send, and what the server asks of others on
// their behalf.
type Traffic struct {
	// Connections is the most open connections to the gateway, beside which the
	// API has a sixteenth of that, and AddressConnections the most of one client address, or zero
	// for any number. Trusted proxies are exempt from the latter.
	Connections, AddressConnections int
	// MinBodyRate is the least rate of a request body after its first seconds, in
	// bytes per second.
	MinBodyRate int
	// Memory is the most that bodies and long headers may take while they wait in
	// the gateway, in bytes.
	Memory int64
	Limits gateway.Limits
	// ACMEBudget is the most certificates that one project may cause to be asked
	// for per week.
	ACMEBudget int
}

// DefaultTraffic returns the bounds of a server that is not told otherwise.
func DefaultTraffic() Traffic {
	return Traffic{
		Connections: DefaultConnections, AddressConnections: DefaultAddressConnections,
		MinBodyRate: DefaultMinBodyRate, Memory: DefaultGatewayMemory, ACMEBudget: DefaultACMEBudget,
		Limits: gateway.Limits{FunctionBurst: DefaultBurst, CallerBurst: DefaultBurst},
	}
}

func (t Traffic) validate() error {
	for name, value := range map[string]int64{
		"max-connections": int64(t.Connections), "min-body-rate": int64(t.MinBodyRate), "gateway-memory": t.Memory,
		"function-burst": int64(t.Limits.FunctionBurst), "caller-burst": int64(t.Limits.CallerBurst), "acme-budget": int64(t.ACMEBudget),
	} {
		if value < 1 {
			return fmt.Errorf("%s is %d: it must be at least 1", name, value)
		}
	}
	for name, value := range map[string]float64{
		"max-address-connections": float64(t.AddressConnections), "function-rate": t.Limits.FunctionRate, "caller-rate": t.Limits.CallerRate,
		"function-calls": float64(t.Limits.FunctionCalls), "caller-calls": float64(t.Limits.CallerCalls),
	} {
		if !(value >= 0) {
			return fmt.Errorf("%s is %v: it must be positive, or 0 for no limit", name, value)
		}
	}
	return nil
}
