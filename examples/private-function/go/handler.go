// Package hello answers every call with a greeting.
package hello

import (
	"fmt"
	"net/http"
	"os"
)

// Handle is the handler of the function.
func Handle(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s from Go, at %s\n", os.Getenv("GREETING"), r.URL.Path)
}
