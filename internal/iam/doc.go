// Package iam identifies callers: projects and their API keys. It resolves a secret key to
// its API key and that key's permissions. It does not check a request against them; the
// api and gateway packages do.
package iam
