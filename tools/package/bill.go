package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"

	"github.com/CycloneDX/cyclonedx-go"
)

// bill writes the bill of materials of the server for an architecture in the format CycloneDX, from
// the modules that the Go toolchain has recorded in the program. It returns the file's name.
func (p packages) bill(arch, server string) (string, error) {
	info, err := buildinfo.ReadFile(server)
	if err != nil {
		return "", err
	}
	var components []cyclonedx.Component
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, component(module.Path, module.Version))
	}
	components = append(components, component("std", info.GoVersion))
	document := cyclonedx.NewBOM()
	main := component(info.Main.Path, p.version)
	main.Type, main.Name = cyclonedx.ComponentTypeApplication, "jeton"
	document.Metadata = &cyclonedx.Metadata{Component: &main}
	document.Components = &components
	name := fmt.Sprintf("jeton_%s_linux_%s.cdx.json", p.version, arch)
	target, err := os.Create(filepath.Join(p.dir, name))
	if err != nil {
		return "", err
	}
	if err := cyclonedx.NewBOMEncoder(target, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(document); err != nil {
		_ = target.Close()
		return "", err
	}
	return name, target.Close()
}

// component returns a Go module as a component, with its package URL.
func component(path, version string) cyclonedx.Component {
	url := fmt.Sprintf("pkg:golang/%s@%s", path, version)
	return cyclonedx.Component{
		Type: cyclonedx.ComponentTypeLibrary, BOMRef: url, Name: path, Version: version, PackageURL: url,
	}
}
