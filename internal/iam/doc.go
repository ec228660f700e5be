// Package iam owns who may call: projects and their API keys. It says who the
// holder of a secret key is; what that person may do with which object is the
// business of those who ask.
package iam
