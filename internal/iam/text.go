package iam

// maxText is the maximum length of names and descriptions, in bytes.
const maxText = 200

// A FieldError reports an invalid field of a project or an API key.
type FieldError struct {
	// Field is the name of the field in requests, and Reason one of the reasons of
	// Scaleway's API: required, format, constraint or unknown.
	Field, Reason string
	// Message continues a sentence that begins with the name of the field.
	Message string
}

// Error returns the field and the message.
func (e *FieldError) Error() string { return e.Field + " " + e.Message }

func checkText(field, text string) error {
	if len(text) > maxText {
		return &FieldError{field, "constraint", "is too long: at most 200 bytes"}
	}
	for _, r := range text {
		// The text is printed on terminals.
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return &FieldError{field, "format", "must be one line of text without control characters"}
		}
	}
	return nil
}
