package client

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"
	"github.com/scaleway/scaleway-sdk-go/validation"
)

// Settings are the arguments of a provider block. A nil field is not set.
type Settings struct {
	// Profile names a profile of the configuration file, whose values are used for
	// the fields that are not set.
	Profile        *string
	AccessKey      *string
	SecretKey      *string
	ProjectID      *string
	OrganizationID *string
	Region         *string
	Zone           *string
	APIURL         *string
}

// Profile contains the API's URL, the keys and the defaults of a client.
type Profile struct {
	*scw.Profile
	// AccessKeyFrom and SecretKeyFrom name the sources of the keys, as words that
	// follow "from" in a sentence.
	AccessKeyFrom, SecretKeyFrom string
}

// A layer is one source of settings.
type layer struct {
	*scw.Profile
	accessKeyFrom, secretKeyFrom string
}

// LoadProfile merges the sources of settings in the official provider's order; the
// later overrides the earlier: the built-in region fr-par, the active profile of the
// configuration file, the provider block, the environment. The file is
// $SCW_CONFIG_PATH or scw/config.yaml in the user's configuration folder, and may
// be missing.
func LoadProfile(block Settings) (*Profile, error) {
	config, err := loadConfigFile()
	if err != nil {
		return nil, err
	}
	active, err := config.GetActiveProfile()
	if err != nil {
		return nil, fmt.Errorf("read the active profile of %s: %w", scw.GetConfigPath(), err)
	}
	named, err := block.named(config)
	if err != nil {
		return nil, err
	}
	builtIn := &scw.Profile{
		DefaultRegion: new(scw.RegionFrPar.String()),
		DefaultZone:   new(scw.ZoneFrPar1.String()),
	}
	profile := merge(
		layer{Profile: builtIn},
		fileLayer(active, "the active profile"),
		fileLayer(named, "the profile "+strconv.Quote(valueOrEmpty(block.Profile))+" of the provider block, which is"),
		layer{block.profile(), "access_key of the provider block", "secret_key of the provider block"},
		layer{scw.LoadEnvProfile(), "the environment variable " + scw.ScwAccessKeyEnv, "the environment variable " + scw.ScwSecretKeyEnv},
	)
	return profile, check(profile.Profile)
}

func fileLayer(p *scw.Profile, which string) layer {
	from := which + " in " + scw.GetConfigPath()
	return layer{p, from, from}
}

// merge merges the layers; a later layer overrides an earlier one.
func merge(layers ...layer) *Profile {
	merged := &Profile{Profile: &scw.Profile{}}
	for _, l := range layers {
		set := withoutEmpty(l.Profile)
		merged.Profile = scw.MergeProfiles(merged.Profile, set)
		if set.AccessKey != nil {
			merged.AccessKeyFrom = l.accessKeyFrom
		}
		if set.SecretKey != nil {
			merged.SecretKeyFrom = l.secretKeyFrom
		}
	}
	return merged
}

func valueOrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// loadConfigFile returns an empty configuration if the file does not exist. The
// parser's error is not wrapped, because it quotes the file, which contains a
// secret key.
func loadConfigFile() (*scw.Config, error) {
	config, err := scw.LoadConfig()
	var notFound *scw.ConfigFileNotFoundError
	switch {
	case errors.As(err, &notFound):
		return &scw.Config{}, nil
	case err != nil:
		return nil, fmt.Errorf("cannot read %s as a Scaleway configuration file: "+
			"correct it, or name another file in SCW_CONFIG_PATH", scw.GetConfigPath())
	default:
		return config, nil
	}
}

// named returns the profile of the file that the block names, or an empty profile
// if it names none.
func (s Settings) named(config *scw.Config) (*scw.Profile, error) {
	if s.Profile == nil {
		return &scw.Profile{}, nil
	}
	named, err := config.GetProfile(*s.Profile)
	if err != nil {
		return nil, fmt.Errorf("no profile %q in %s: add it there, or remove profile from the provider block", *s.Profile, scw.GetConfigPath())
	}
	return named, nil
}

// profile returns the values that the block sets itself.
func (s Settings) profile() *scw.Profile {
	return &scw.Profile{
		AccessKey:             s.AccessKey,
		SecretKey:             s.SecretKey,
		APIURL:                s.APIURL,
		DefaultOrganizationID: s.OrganizationID,
		DefaultProjectID:      s.ProjectID,
		DefaultRegion:         s.Region,
		DefaultZone:           s.Zone,
	}
}

// withoutEmpty replaces empty values by nil: build systems export empty variables
// for values that they do not have.
func withoutEmpty(p *scw.Profile) *scw.Profile {
	trimmed := *p
	for _, field := range []**string{
		&trimmed.AccessKey, &trimmed.SecretKey, &trimmed.APIURL,
		&trimmed.DefaultOrganizationID, &trimmed.DefaultProjectID,
		&trimmed.DefaultRegion, &trimmed.DefaultZone,
	} {
		if *field != nil && **field == "" {
			*field = nil
		}
	}
	return &trimmed
}

// check returns an error for every value that the SDK would refuse, and names where
// to correct it. The SDK's own error for a malformed secret key contains the key.
func check(p *scw.Profile) error {
	if p.AccessKey == nil || p.SecretKey == nil {
		return missingCredentials(p)
	}
	if !validation.IsAccessKey(*p.AccessKey) {
		return fmt.Errorf("the access key %q is malformed: it is SCW followed by 17 upper-case letters and digits; "+
			"correct SCW_ACCESS_KEY, or access_key in the provider block or in %s", *p.AccessKey, scw.GetConfigPath())
	}
	if !validation.IsSecretKey(*p.SecretKey) {
		return fmt.Errorf("the secret key is malformed: it is a UUID; "+
			"correct SCW_SECRET_KEY, or secret_key in the provider block or in %s", scw.GetConfigPath())
	}
	if err := checkUUID("project_id", "SCW_DEFAULT_PROJECT_ID", p.DefaultProjectID); err != nil {
		return err
	}
	if err := checkUUID("organization_id", "SCW_DEFAULT_ORGANIZATION_ID", p.DefaultOrganizationID); err != nil {
		return err
	}
	return checkLocation(p)
}

func missingCredentials(p *scw.Profile) error {
	var missing []string
	if p.AccessKey == nil {
		missing = append(missing, "access key")
	}
	if p.SecretKey == nil {
		missing = append(missing, "secret key")
	}
	return fmt.Errorf("no %s is configured for the API. "+
		"Export SCW_ACCESS_KEY and SCW_SECRET_KEY (for a Jeton server: eval \"$(jeton env)\"), "+
		"set access_key and secret_key in the provider block, or write them to %s with scw init",
		strings.Join(missing, " and no "), scw.GetConfigPath())
}

func checkUUID(attribute, variable string, value *string) error {
	if value == nil || validation.IsUUID(*value) {
		return nil
	}
	return fmt.Errorf("the default %s %q is malformed: it is a UUID; correct %s or the provider block", attribute, *value, variable)
}

// checkLocation checks the region, the zone and the API's URL, and removes trailing
// slashes from the URL.
func checkLocation(p *scw.Profile) error {
	if p.DefaultRegion != nil && !validation.IsRegion(*p.DefaultRegion) {
		return fmt.Errorf("the default region %q is malformed: write it like fr-par, in SCW_DEFAULT_REGION or the provider block", *p.DefaultRegion)
	}
	if p.DefaultZone != nil && !validation.IsZone(*p.DefaultZone) {
		return fmt.Errorf("the default zone %q is malformed: write it like fr-par-1, in SCW_DEFAULT_ZONE or the provider block", *p.DefaultZone)
	}
	if p.APIURL == nil {
		return nil
	}
	u, err := url.Parse(*p.APIURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("the API URL is malformed: write it like https://api.scaleway.com, in SCW_API_URL or in api_url of the provider block")
	}
	p.APIURL = new(strings.TrimRight(*p.APIURL, "/"))
	return nil
}
