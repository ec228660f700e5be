package api

import (
	"net/http"
	"strconv"

	"github.com/jeton-dev/jeton/internal/functions"
)

// pathID is the ID in a request's path.
func pathID(r *http.Request, argument string) (string, error) {
	id := r.PathValue("id")
	if !functions.ValidID(id) {
		return "", &functions.Error{Code: functions.InvalidArgument, Argument: argument, Reason: "format", Message: "must be a UUID"}
	}
	return id, nil
}

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

// queryInt reads a positive number; zero stands for one that is not given.
func queryInt(r *http.Request, name string) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		return 0, &functions.Error{Code: functions.InvalidArgument, Argument: name, Reason: "format", Message: "must be a whole number from 1"}
	}
	return value, nil
}

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
