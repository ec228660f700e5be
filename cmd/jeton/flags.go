package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/jeton-dev/jeton/internal/server"
)

// A flag of the server is declared once, as a field of one of the structs in
// serve_flags.go, limit_flags.go and instance_flags.go:
//
//   - the field's name or its tag "name" is the name of the flag, of the key in a
//     configuration file and, in capitals after JETON_, of the environment variable;
//   - the tag "config" is the path of the field of server.Config that the flag
//     sets; the value of that field in server.DefaultConfig is the flag's default;
//   - the tag "help" is the text of --help;
//   - the field's comment is what docs/jeton.yaml says in addition, and the tag
//     "example" is the value shown there if the default depends on the machine.
//
// "go generate ./cmd/jeton" writes docs/jeton.yaml from these; a test fails if that
// file is out of date.
//
//go:generate go test -run ^TestConfigReference_MatchesFlags$ . -update

// configTag is the struct tag that names the field of server.Config that a flag sets.
const configTag = "config"

// flagGroups are the headings of the flags in --help and docs/jeton.yaml.
var flagGroups = []kong.Group{
	{Key: "server", Title: "Server (default: the one of SCW_API_URL, or of the data directory):"},
	{Key: "storage", Title: "Storage:"},
	{Key: "cluster", Title: "Cluster:"},
	{Key: "network", Title: "Network:"},
	{Key: "tls", Title: "TLS certificates:"},
	{Key: "access", Title: "Access:"},
	{Key: "triggers", Title: "Triggers:"},
	{Key: "engine", Title: "Engine:"},
	{Key: "instances", Title: "Instances:"},
	{Key: "isolation", Title: "Isolation:"},
	{Key: "kubernetes", Title: "Kubernetes:"},
	{Key: "egress", Title: "Outbound network of instances and builds:"},
	{Key: "builds", Title: "Builds:"},
	{Key: "languages", Title: "Language toolchains:"},
	{Key: "limits", Title: "Limits of functions (those that Scaleway documents):"},
	{Key: "quotas", Title: "Quotas (a client that exceeds one gets 403):"},
	{Key: "traffic", Title: "Limits of incoming traffic:"},
	{Key: "shutdown", Title: "Shutdown:"},
	{Key: "logs", Title: "Logs:"},
}

// newParser returns the parser of a command line. configFiles are read if they exist.
func newParser(line *commandLine, configFiles []string, options ...kong.Option) (*kong.Kong, error) {
	parser, err := kong.New(line, append([]kong.Option{
		kong.Name("jeton"), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}), kong.ValueFormatter(formatHelp),
		kong.DefaultEnvars("JETON"),
		kong.Vars{"version": versionLine()},
		kong.Configuration(loadYAML, configFiles...), kong.ExplicitGroups(flagGroups),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	config := server.DefaultConfig(server.DefaultDataDir())
	return parser, kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			setDefault(flag, &config)
		}
		return next(nil)
	})
}

// setDefault sets the default of a flag to the value of the field of config that the
// flag sets. Empty strings and lists are no default.
func setDefault(flag *kong.Flag, config *server.Config) {
	path := flag.Tag.Get(configTag)
	if path == "" {
		return
	}
	value := configField(config, path)
	if value.Kind() == reflect.Slice || value.Kind() == reflect.String && value.IsZero() {
		return
	}
	flag.Default, flag.HasDefault = fmt.Sprint(value.Interface()), true
	if _, ok := value.Interface().(time.Duration); ok {
		flag.Default = shortDuration(flag.Default)
	}
}

// shortDuration returns the text of a duration without minutes and seconds that are zero.
func shortDuration(text string) string {
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// applyFlags sets the fields of config that the config tags of flags name. flags is a
// struct; its embedded structs are included.
func applyFlags(flags reflect.Value, config *server.Config) {
	for _, field := range reflect.VisibleFields(flags.Type()) {
		if path := field.Tag.Get(configTag); path != "" {
			target := configField(config, path)
			target.Set(flags.FieldByIndex(field.Index).Convert(target.Type()))
		}
	}
}

// configField returns the field of config at a path such as Scale.Queue. It panics if
// there is no such field.
func configField(config *server.Config, path string) reflect.Value {
	field := reflect.ValueOf(config).Elem()
	for name := range strings.SplitSeq(path, ".") {
		if field = field.FieldByName(name); !field.IsValid() {
			panic("server.Config has no field " + path)
		}
	}
	return field
}

// formatHelp returns the help of a flag or an argument, followed by its default and its
// environment variable.
func formatHelp(value *kong.Value) string {
	var notes []string
	if value.Flag != nil {
		if shown := shownDefault(value); shown != "" {
			notes = append(notes, "default "+shown)
		}
		for _, name := range value.Tag.Envs {
			notes = append(notes, "$"+name)
		}
	}
	if len(notes) == 0 {
		return value.Help
	}
	help, all := strings.TrimSuffix(value.Help, "."), strings.Join(notes, ", ")
	if strings.Contains(help, "(default") && strings.HasSuffix(help, ")") {
		return fmt.Sprintf("%s, %s).", strings.TrimSuffix(help, ")"), all)
	}
	return fmt.Sprintf("%s (%s).", help, all)
}

// shownDefault returns the default of a flag in the form for people.
func shownDefault(value *kong.Value) string {
	switch {
	case !value.HasDefault || value.Default == "false":
		return ""
	case value.Flag.PlaceHolder == "BYTES":
		return byteSize(value.Default)
	}
	return value.Default
}

// byteSize returns a decimal number of bytes in the largest unit that divides it.
func byteSize(bytes string) string {
	var n int64
	if _, err := fmt.Sscan(bytes, &n); err != nil || n == 0 {
		return bytes
	}
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	for i, unit := range units {
		if n%1024 != 0 || i == len(units)-1 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		n /= 1024
	}
	return bytes
}
