package api

import (
	"net/http"
	"strconv"

	"github.com/jeton-dev/jeton/internal/functions"
)

// pathID returns the ID in a request's path. The argument is its name in the error.
func pathID(r *http.Request, argument string) (string, error) {
	id := r.PathValue("id")
	if !functions.ValidID(id) {
		return "", &functions.Error{Code: functions.InvalidArgument, Argument: argument, Reason: "format", Message: "must be a UUID"}
	}
	return id, nil
}

// queryPage returns the page that the query requests. Absent parameters are zero.
func queryPage(r *http.Request) (functions.Page, error) {
	number, err := queryInt(r, "page")
	if err != nil {
		return functions.Page{}, err
	}
	size, err := queryInt(r, "page_size")
	if err != nil {
		return functions.Page{}, err
	}
	return functions.Page{Number: number, Size: size, OrderBy: r.URL.Query().Get("order_by")}, nil
}

// queryInt returns a positive number from the query, or 0 if it is absent.
func queryInt(r *http.Request, name string) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		return 0, &functions.Error{Code: functions.InvalidArgument, Argument: name, Reason: "format", Message: "must be an integer of at least 1"}
	}
	return value, nil
}

// queryFilter returns the filter that the query requests.
func queryFilter(r *http.Request) functions.Filter {
	query := r.URL.Query()
	return functions.Filter{
		OrganizationID: query.Get("organization_id"),
		ProjectID:      query.Get("project_id"),
		NamespaceID:    query.Get("namespace_id"),
		FunctionID:     query.Get("function_id"),
		Name:           query.Get("name"),
	}
}
