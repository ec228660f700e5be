package s3

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// A Location is where objects are stored.
type Location struct {
	Bucket string
	// Prefix is "" or ends with a slash.
	Prefix string
	// Endpoint is the URL of the service without a path. Empty means AWS.
	Endpoint string
	// Region is empty if the service is asked for the region of the bucket.
	Region string
	// PathStyle puts the bucket into the path of requests instead of the hostname.
	PathStyle bool
}

const (
	// urlExample completes the errors for invalid URLs.
	urlExample = "use one such as s3://bucket/prefix?endpoint=https://s3.example.com&region=fr-par"

	awsEndpoint   = "https://s3.amazonaws.com"
	defaultRegion = "us-east-1"
	maxPrefix     = 256
)

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	prefixName = regexp.MustCompile(`^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*$`)
)

// ParseLocation parses s3://BUCKET/PREFIX with the optional parameters endpoint, region
// and use_path_style. The path style is the default for an endpoint. Errors never contain
// the URL, which may contain credentials by mistake.
func ParseLocation(text string) (Location, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "" || u.Port() != "" {
		return Location{}, errors.New("not an S3 URL: " + urlExample)
	}
	if u.User != nil {
		return Location{}, errors.New("an S3 URL with credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, instead")
	}
	l := Location{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if !bucketName.MatchString(l.Bucket) {
		return Location{}, errors.New("no valid name of a bucket: " + urlExample)
	}
	if l.Prefix != "" {
		if len(l.Prefix) > maxPrefix || !prefixName.MatchString(l.Prefix) || hasDots(l.Prefix) {
			return Location{}, fmt.Errorf("the prefix has more than %d bytes, or others than letters, digits and /!-_.*'(): choose another one", maxPrefix)
		}
		l.Prefix += "/"
	}
	return l, l.setParameters(u.RawQuery)
}

func hasDots(prefix string) bool {
	for part := range strings.SplitSeq(prefix, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

func (l *Location) setParameters(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("invalid parameters of an S3 URL: " + urlExample)
	}
	l.PathStyle = values.Get("endpoint") != ""
	for name, value := range values {
		if len(value) != 1 {
			return fmt.Errorf("the parameter %.50q of an S3 URL occurs twice: set it once", name)
		}
		switch name {
		case "endpoint":
			l.Endpoint = value[0]
			err = checkEndpoint(l.Endpoint)
		case "region":
			if l.Region = value[0]; !regionName.MatchString(l.Region) {
				err = errors.New("region of an S3 URL: not the name of a region, such as eu-west-3")
			}
		case "use_path_style":
			if l.PathStyle, err = strconv.ParseBool(value[0]); err != nil {
				err = errors.New("use_path_style of an S3 URL: use true or false")
			}
		default:
			err = fmt.Errorf("unknown parameter %.50q of an S3 URL: use endpoint, region and use_path_style", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("endpoint of an S3 URL: not a URL without a path, such as https://s3.example.com")
	}
	return nil
}

// withEnvironment returns the location with the standard environment variables of AWS
// as defaults.
func (l Location) withEnvironment() (Location, error) {
	if l.Endpoint == "" {
		if l.Endpoint = cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")); l.Endpoint != "" {
			l.PathStyle = true
			if err := checkEndpoint(l.Endpoint); err != nil {
				return l, fmt.Errorf("environment variable AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL: %w", err)
			}
		}
	}
	l.Region = cmp.Or(l.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
	if l.Region == "" && l.Endpoint != "" {
		l.Region = defaultRegion
	}
	return l, nil
}

// host returns the address of the service, and whether it uses TLS.
func (l Location) host() (host string, secure bool) {
	u, err := url.Parse(cmp.Or(l.Endpoint, awsEndpoint))
	if err != nil {
		return "", false // checkEndpoint has parsed it.
	}
	return u.Host, u.Scheme == "https"
}

// String returns the location for messages. It contains no secrets.
func (l Location) String() string {
	text := "s3://" + l.Bucket + "/" + strings.TrimSuffix(l.Prefix, "/")
	if l.Endpoint != "" {
		text += " at " + l.Endpoint
	}
	return text
}
