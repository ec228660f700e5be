package tfkit

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// Backend is what the resources get of a configured provider.
type Backend struct {
	*client.Client
	Now  func() time.Time
	Pick func(n int) int
}

// RegionOf returns the configured region, or that of the first reference that
// has one, or the provider's.
func (b *Backend) RegionOf(configured types.String, references ...types.String) scw.Region {
	if IsSet(configured) {
		return scw.Region(configured.ValueString())
	}
	for _, reference := range references {
		if id, err := regional.Parse(reference.ValueString()); err == nil {
			return id.Region
		}
	}
	return b.Region()
}
