// Package console tests the console in Chromium: `make test-console`. A Go test starts
// servers and runs a script of this folder, which drives the browser.
package console
