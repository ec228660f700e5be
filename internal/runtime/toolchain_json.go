package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
)

// encodedToolchain is a Toolchain without isolation. Missing says why a language has none.
type encodedToolchain struct {
	Path     string `json:"path,omitempty"`
	Version  string `json:"version,omitempty"`
	Settings string `json:"settings,omitempty"`
	Missing  string `json:"missing,omitempty"`
}

// Encode returns the toolchains as JSON for another process of the same image, which then need not
// look for them. Isolation and Offline are left out.
func (t *Toolchains) Encode() ([]byte, error) {
	encoded := make(map[string]encodedToolchain, len(t.found)+len(t.missing))
	for language, found := range t.found {
		encoded[language] = encodedToolchain{Path: found.Path, Version: found.Version, Settings: found.Settings}
	}
	for language, err := range t.missing {
		encoded[language] = encodedToolchain{Missing: err.Error()}
	}
	return json.Marshal(encoded)
}

// DecodeToolchains returns the toolchains that Encode has encoded.
func DecodeToolchains(text []byte) (*Toolchains, error) {
	var encoded map[string]encodedToolchain
	if err := json.Unmarshal(text, &encoded); err != nil {
		return nil, fmt.Errorf("decode toolchains: %w", err)
	}
	t := &Toolchains{found: map[string]Toolchain{}, missing: map[string]error{}}
	for language, e := range encoded {
		switch {
		case e.Path != "":
			t.found[language] = Toolchain{Path: e.Path, Version: e.Version, Settings: e.Settings}
		case e.Missing != "":
			t.missing[language] = errors.New(e.Missing)
		default:
			return nil, fmt.Errorf("decode toolchains: %s has neither a path nor a reason", language)
		}
	}
	return t, nil
}
