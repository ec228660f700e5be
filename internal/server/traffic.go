package server

import (
	"fmt"
	"log/slog"

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

// Traffic limits incoming calls and requests, and certificate orders.
type Traffic struct {
	// Connections is the maximum number of open connections to the gateway; the API
	// has a sixteenth of it in addition. AddressConnections is the maximum per client
	// address, 0 for no limit. Trusted proxies are exempt from the latter.
	Connections, AddressConnections int
	// MinBodyRate is the minimum rate of a request body after its first seconds, in
	// bytes per second.
	MinBodyRate int
	// Memory is the maximum size of bodies and long headers that wait in the gateway,
	// in bytes.
	Memory int64
	// Limits are rate and concurrency limits of calls.
	Limits gateway.Limits
	// ACMEBudget is the maximum number of certificate orders per project and week.
	ACMEBudget int
}

// DefaultTraffic returns the default limits.
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

// apiShare divides the maximum number of connections of the gateway for that of the
// API. A flood of the gateway leaves the API reachable.
const apiShare = 16

// trafficLimits are the limits that all connections share.
type trafficLimits struct {
	connections, apiConnections *gateway.Connections
	// Long headers and bodies have separate budgets: neither can use up the other's.
	heads, bodies *gateway.Memory
}

func newTrafficLimits(config Config, log *slog.Logger) *trafficLimits {
	t := config.Traffic
	connections := func(most int) *gateway.Connections {
		return &gateway.Connections{Max: most, PerAddress: t.AddressConnections, Exempt: config.TrustedProxies, Log: log}
	}
	return &trafficLimits{
		connections: connections(t.Connections), apiConnections: connections(max(t.Connections/apiShare, 1)),
		heads: gateway.NewMemory(t.Memory / 2), bodies: gateway.NewMemory(t.Memory / 2),
	}
}
