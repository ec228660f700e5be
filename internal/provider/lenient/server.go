package lenient

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Server returns a provider server that applies the package's rules to the requests
// and plans of inner.
func Server(inner tfprotov6.ProviderServer) tfprotov6.ProviderServer {
	s := &server{ProviderServer: inner}
	s.schemas = sync.OnceValues(func() (*tfprotov6.GetProviderSchemaResponse, error) {
		return inner.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	})
	return s
}

type server struct {
	tfprotov6.ProviderServer
	schemas func() (*tfprotov6.GetProviderSchemaResponse, error)
}

// ConfigureProvider implements tfprotov6.ProviderServer.
func (s *server) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	config, _, err := s.clean(providers, "", req.Config)
	if err != nil {
		return nil, err
	}
	cleaned := *req
	cleaned.Config = config
	return s.ProviderServer.ConfigureProvider(ctx, &cleaned)
}

// ValidateResourceConfig implements tfprotov6.ResourceServer.
func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	config, _, err := s.clean(resources, req.TypeName, req.Config)
	if err != nil {
		return nil, err
	}
	cleaned := *req
	cleaned.Config = config
	return s.ProviderServer.ValidateResourceConfig(ctx, &cleaned)
}

// ApplyResourceChange implements tfprotov6.ResourceServer.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	config, _, err := s.clean(resources, req.TypeName, req.Config)
	if err != nil {
		return nil, err
	}
	cleaned := *req
	cleaned.Config = config
	return s.ProviderServer.ApplyResourceChange(ctx, &cleaned)
}

// ValidateDataResourceConfig implements tfprotov6.DataSourceServer.
func (s *server) ValidateDataResourceConfig(ctx context.Context, req *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	config, _, err := s.clean(dataSources, req.TypeName, req.Config)
	if err != nil {
		return nil, err
	}
	cleaned := *req
	cleaned.Config = config
	return s.ProviderServer.ValidateDataResourceConfig(ctx, &cleaned)
}

// ReadDataSource implements tfprotov6.DataSourceServer.
func (s *server) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	config, _, err := s.clean(dataSources, req.TypeName, req.Config)
	if err != nil {
		return nil, err
	}
	cleaned := *req
	cleaned.Config = config
	return s.ProviderServer.ReadDataSource(ctx, &cleaned)
}

// ValidateEphemeralResourceConfig implements tfprotov6.EphemeralResourceServer.
func (s *server) ValidateEphemeralResourceConfig(ctx context.Context, req *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	config, _, err := s.clean(ephemerals, req.TypeName, req.Config)
	if err != nil {
		return nil, err
	}
	cleaned := *req
	cleaned.Config = config
	return s.ProviderServer.ValidateEphemeralResourceConfig(ctx, &cleaned)
}

// OpenEphemeralResource implements tfprotov6.EphemeralResourceServer. The protocol
// has no legacy flag for ephemeral resources, so the result must contain the
// configured values.
func (s *server) OpenEphemeralResource(ctx context.Context, req *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	config, changed, err := s.clean(ephemerals, req.TypeName, req.Config)
	if err != nil {
		return nil, err
	}
	cleaned := *req
	cleaned.Config = config
	resp, err := s.ProviderServer.OpenEphemeralResource(ctx, &cleaned)
	if err != nil || !changed || resp.Result == nil {
		return resp, err
	}
	schema, err := s.schema(ephemerals, req.TypeName)
	if err != nil {
		return nil, err
	}
	resp.Result, err = restoreUnset(schema.Block, req.Config, resp.Result)
	return resp, err
}

// PlanResourceChange implements tfprotov6.ResourceServer.
func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	schema, err := s.schema(resources, req.TypeName)
	if err != nil || schema == nil {
		return s.ProviderServer.PlanResourceChange(ctx, req)
	}
	cleaned, changed, err := cleanPlanRequest(schema.Block, req)
	if err != nil {
		return nil, err
	}
	resp, err := s.ProviderServer.PlanResourceChange(ctx, cleaned)
	if err != nil {
		return nil, err
	}
	same, err := equivalent(schema.Block, req.PriorState, resp)
	if err != nil {
		return nil, err
	}
	if same {
		resp.PlannedState, resp.PlannedPrivate, resp.PlannedIdentity = req.PriorState, req.PriorPrivate, req.PriorIdentity
	}
	if changed || same {
		//nolint:staticcheck // The package comment gives the reason.
		resp.UnsafeToUseLegacyTypeSystem = true
	}
	return resp, nil
}

// The kinds of types in a provider's schema.
const (
	resources = iota
	dataSources
	ephemerals
	providers
)

// schema returns the schema of a type, or nil if the type does not exist. It ignores
// typeName for the kind providers.
func (s *server) schema(kind int, typeName string) (*tfprotov6.Schema, error) {
	all, err := s.schemas()
	if err != nil {
		return nil, err
	}
	switch kind {
	case resources:
		return all.ResourceSchemas[typeName], nil
	case dataSources:
		return all.DataSourceSchemas[typeName], nil
	case ephemerals:
		return all.EphemeralResourceSchemas[typeName], nil
	default:
		return all.Provider, nil
	}
}

// clean applies the first two rules to a configuration. It reports whether the
// result differs.
func (s *server) clean(kind int, typeName string, config *tfprotov6.DynamicValue) (*tfprotov6.DynamicValue, bool, error) {
	schema, err := s.schema(kind, typeName)
	if err != nil || schema == nil || config == nil {
		return config, false, err
	}
	value, err := config.Unmarshal(schema.Block.ValueType())
	if err != nil {
		return nil, false, err
	}
	cleaned, changed, err := cleanBlock(schema.Block, value)
	if err != nil || !changed {
		return config, false, err
	}
	encoded, err := tfprotov6.NewDynamicValue(schema.Block.ValueType(), cleaned)
	return &encoded, true, err
}

// cleanPlanRequest returns req with the cleaned configuration and the state that
// Terraform would propose for it. It reports whether they differ from those of req.
func cleanPlanRequest(block *tfprotov6.SchemaBlock, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeRequest, bool, error) {
	form := block.ValueType()
	config, err := req.Config.Unmarshal(form)
	if err != nil {
		return nil, false, err
	}
	cleanConfig, changed, err := cleanBlock(block, config)
	if err != nil || !changed {
		return req, false, err
	}
	var proposed, prior tftypes.Value
	if proposed, err = req.ProposedNewState.Unmarshal(form); err != nil {
		return nil, false, err
	}
	if prior, err = req.PriorState.Unmarshal(form); err != nil {
		return nil, false, err
	}
	if proposed, err = propose(block, config, proposed, prior); err != nil {
		return nil, false, err
	}
	cleaned := *req
	for target, value := range map[**tfprotov6.DynamicValue]tftypes.Value{&cleaned.Config: cleanConfig, &cleaned.ProposedNewState: proposed} {
		encoded, err := tfprotov6.NewDynamicValue(form, value)
		if err != nil {
			return nil, false, err
		}
		*target = &encoded
	}
	return &cleaned, true, nil
}
