// Package foreign admits tokens that another service has issued. Such a token is verified
// once, with its first use: its ID must be that of an imported token, and its text must be
// signed by an imported key. Then the digest of the text is stored, and the gateway admits
// the token like any other. The package does not decide about calls, and does not verify
// the tokens of this server.
package foreign
