package broker_test

import (
	"net"
	"testing"

	"github.com/jeton-dev/jeton/internal/broker"
)

func TestPublicOnly_RefusesSpecialAddresses(t *testing.T) {
	t.Parallel()
	for address, public := range map[string]bool{
		"8.8.8.8": true, "100.63.255.255": true, "100.128.0.1": true, "198.17.0.1": true, "2606:4700::1111": true, "2a00:1450:4007::1": true,
		"::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true,
		"127.0.0.1": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false,
		"0.1.2.3": false, "100.64.0.1": false, "100.127.255.254": false, "192.0.0.170": false, "198.18.0.1": false, "198.19.255.255": false,
		"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "fec0::1": false,
		"::ffff:127.0.0.1": false, "::127.0.0.1": false, "64:ff9b::127.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b::100.64.0.1": false,
		"64:ff9b:1::8.8.8.8": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false, "100::1": false, "5f00::1": false, "3fff::1": false,
	} {
		err := broker.PublicOnly("tcp", net.JoinHostPort(address, "443"), nil)
		if (err == nil) != public {
			t.Errorf("%s: got %v, want public %t", address, err, public)
		}
	}
	for _, address := range []string{"", "example.com:443", "8.8.8.8", "[::1"} {
		if broker.PublicOnly("tcp", address, nil) == nil {
			t.Errorf("%q: got no error for an invalid address", address)
		}
	}
}
