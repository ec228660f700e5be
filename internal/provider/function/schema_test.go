package function_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider/providertest"
)

type arguments = providertest.Config

// config returns a valid function with other arguments.
func config(others arguments) arguments {
	return arguments{"namespace_id": providertest.ID, "runtime": "go126", "handler": "Handle", "privacy": "private"}.With(others)
}

// The official provider leaves most of this to the service, which refuses it during the
// apply.
func TestValidateConfig_NamesTheArgumentAndTheCorrection(t *testing.T) {
	t.Parallel()
	providertest.RunValidation(t, "scaleway_function", map[string]providertest.ValidationTest{
		"valid":                             {Config: config(nil)},
		"name in upper case":                {Config: config(arguments{"name": "Main"}), Want: "lower-case letters", Attribute: "name"},
		"long name":                         {Config: config(arguments{"name": strings.Repeat("a", 35)}), Want: "at most 34", Attribute: "name"},
		"invalid privacy":                   {Config: config(arguments{"privacy": "secret"}), Want: `"public" "private"`, Attribute: "privacy"},
		"invalid http_option":               {Config: config(arguments{"http_option": "https"}), Want: `"enabled" "redirected"`, Attribute: "http_option"},
		"invalid sandbox":                   {Config: config(arguments{"sandbox": "v3"}), Want: `"v1" "v2"`, Attribute: "sandbox"},
		"invalid memory_limit":              {Config: config(arguments{"memory_limit": 300}), Want: `"512"`, Attribute: "memory_limit"},
		"negative min_scale":                {Config: config(arguments{"min_scale": -1}), Want: "between 0 and 2147483647", Attribute: "min_scale"},
		"max_scale above the default":       {Config: config(arguments{"max_scale": 51})},
		"max_scale 0":                       {Config: config(arguments{"max_scale": 0}), Want: "between 1 and 2147483647", Attribute: "max_scale"},
		"huge max_scale":                    {Config: config(arguments{"max_scale": 1 << 32}), Want: "between 1 and 2147483647", Attribute: "max_scale"},
		"min_scale above max_scale":         {Config: config(arguments{"min_scale": 3, "max_scale": 2}), Want: "min_scale is 3 and max_scale is 2: lower min_scale or raise max_scale", Attribute: "min_scale"},
		"min_scale above default max_scale": {Config: config(arguments{"min_scale": 21}), Want: "max_scale is 20 by default: lower min_scale or raise max_scale", Attribute: "min_scale"},
		"timeout 0":                         {Config: config(arguments{"timeout": 0}), Want: "between 1 and 2147483647", Attribute: "timeout"},
		"zip_hash without zip_file":         {Config: config(arguments{"zip_hash": "1"}), Want: "zip_file", Attribute: "zip_hash"},
		"name as namespace_id":              {Config: config(arguments{"namespace_id": "main"}), Want: "region/uuid", Attribute: "namespace_id"},
		"empty handler":                     {Config: config(arguments{"handler": ""}), Want: "at least 1", Attribute: "handler"},
		"Go handler in a folder":            {Config: config(arguments{"handler": "shop/Handle"})},
		"unexported Go handler":             {Config: config(arguments{"handler": "handle"}), Want: `"handle" is not a valid handler for the runtime "go126": write the name of an exported function`, Attribute: "handler"},
		"Go handler with a file":            {Config: config(arguments{"handler": "handler.Handle"}), Want: "exported function", Attribute: "handler"},
		"package as handler of go113":       {Config: config(arguments{"runtime": "go113", "handler": "main"})},
		"Node handler without a file":       {Config: config(arguments{"runtime": "node20", "handler": "handle"}), Want: "write file.function, for example handler.handle", Attribute: "handler"},
		"Python handler in a folder":        {Config: config(arguments{"runtime": "python314", "handler": "src/my.handler.handle"})},
		"PHP handler without a function":    {Config: config(arguments{"runtime": "php85", "handler": "handler."}), Want: "write file.function", Attribute: "handler"},
		"Rust handler":                      {Config: config(arguments{"runtime": "rust196", "handler": "handle"})},
		"Rust handler with a file":          {Config: config(arguments{"runtime": "rust196", "handler": "handler.handle"}), Want: "the name of a function", Attribute: "handler"},
		"unknown language":                  {Config: config(arguments{"runtime": "zig1", "handler": "?"})},
		"runtime unknown":                   {Config: config(arguments{"runtime": tftypes.UnknownValue, "handler": "handle"})},
	})
}
