// Package hello answers every call with a greeting.
package hello

import (
	"fmt"
	"net/http"
)

// Handle is the handler of the function.
func Handle(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "Hello from Jeton, at %s\n", r.URL.Path)
}
