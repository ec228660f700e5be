package s3

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7"

	"github.com/jeton-dev/jeton/internal/blob"
)

var (
	// errDamaged is wrapped by the errors for objects whose content is not what was stored.
	errDamaged = errors.New("the object is damaged")
	// ErrOtherInstallation is returned for a prefix that another installation uses.
	ErrOtherInstallation = errors.New("another installation of jeton uses this prefix: choose another prefix, or start with the secret.key of that installation")
	errNoCredentials     = errors.New("found no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
)

// advice maps error codes of S3 to what the operator can do.
var advice = map[string]string{
	"InvalidAccessKeyId":           "the service does not know the access key: check the credentials",
	"SignatureDoesNotMatch":        "the secret key does not belong to the access key, or the region is wrong: check both",
	"ExpiredToken":                 "the session token has expired: refresh the credentials",
	"InvalidToken":                 "the session token is invalid: refresh the credentials",
	"NoSuchBucket":                 "the bucket does not exist: create it, or correct its name",
	"AccessDenied":                 "the credentials lack this right: see the policy in docs/s3.md",
	"RequestTimeTooSkewed":         "the clock of this machine is wrong: set it",
	"AuthorizationHeaderMalformed": "the region is wrong: set the parameter region",
	"PermanentRedirect":            "the bucket is in another region: set the parameter region",
}

// explain returns an error of a request with the operation and what the operator can do.
// It keeps only the code and a bounded message of the service's answer.
func explain(operation string, err error) error {
	if err == nil {
		return nil
	}
	if response, ok := errors.AsType[minio.ErrorResponse](err); ok {
		code := response.Code
		switch {
		case code == "NoSuchKey" || code == "" && response.StatusCode == http.StatusNotFound:
			return fmt.Errorf("%s: %w", operation, blob.ErrNotFound)
		case code == "" && response.StatusCode == http.StatusForbidden:
			code = "AccessDenied"
		}
		if text, ok := advice[code]; ok {
			return fmt.Errorf("%s: %s: %s", operation, code, text)
		}
		return fmt.Errorf("%s: the S3 service answered %d %.60q: %.200q", operation, response.StatusCode, code, response.Message)
	}
	// The URL of a request is long and adds nothing to the operation.
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("%s: %w", operation, err)
}
