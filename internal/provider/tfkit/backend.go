package tfkit

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// Backend is the configured provider, used by all resources and data sources.
type Backend struct {
	*client.Client
	// Now returns the current time.
	Now func() time.Time
	// Pick returns a number in [0, n), for generated names.
	Pick func(n int) int
}

// RegionOf returns the configured region, or else that of the first reference of the
// form region/uuid, or else the provider's.
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
