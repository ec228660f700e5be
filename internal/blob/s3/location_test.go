package s3_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/blob/s3"
)

func TestParseLocation(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]s3.Location{
		"s3://bucket":                     {Bucket: "bucket"},
		"s3://bucket/":                    {Bucket: "bucket"},
		"s3://my.bucket-1/a/b_c/":         {Bucket: "my.bucket-1", Prefix: "a/b_c/"},
		"s3://bucket/p?region=eu-west-3":  {Bucket: "bucket", Prefix: "p/", Region: "eu-west-3"},
		"s3://bucket?use_path_style=true": {Bucket: "bucket", PathStyle: true},
		"s3://bucket?endpoint=https://s3.fr-par.scw.cloud&region=fr-par": {
			Bucket: "bucket", Endpoint: "https://s3.fr-par.scw.cloud", Region: "fr-par", PathStyle: true,
		},
		"s3://bucket?endpoint=http://127.0.0.1:9000&use_path_style=false": {Bucket: "bucket", Endpoint: "http://127.0.0.1:9000"},
	} {
		if got, err := s3.ParseLocation(url); err != nil || got != want {
			t.Errorf("ParseLocation(%s) = %+v, %v, want %+v", url, got, err, want)
		}
	}
}

func TestParseLocation_RefusesInvalidURLsWithoutSecrets(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "bucket", "https://bucket/hunter22", "s3:bucket", "s3://", "s3://Bucket", "s3://b", "s3://bucket:80/", "s3://bucket/#x",
		"s3://key:hunter22@bucket/", "s3://bucket/a//b", "s3://bucket/../x", "s3://bucket/a b", "s3://bucket/" + strings.Repeat("x", 300),
		"s3://bucket?region=", "s3://bucket?region=a/b", "s3://bucket?use_path_style=perhaps", "s3://bucket?unknown=1",
		"s3://bucket?region=a&region=b", "s3://bucket?endpoint=example.com", "s3://bucket?endpoint=https://user:hunter22@example.com",
		"s3://bucket?endpoint=https://example.com/path", "s3://bucket?secret_access_key=hunter22", "s3://bucket/%zz-hunter22",
	} {
		_, err := s3.ParseLocation(url)
		if err == nil || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("ParseLocation(%s) = %v, want an error without secrets", url, err)
		}
	}
}
