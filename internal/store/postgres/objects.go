package postgres

import (
	"fmt"
	"reflect"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// The tables of all types of objects.
var (
	projects       = objects[iam.Project]{table.Projects}
	apiKeys        = objects[iam.APIKey]{table.APIKeys}
	namespaces     = objects[functions.Namespace]{table.Namespaces}
	functionsTable = objects[functions.Function]{table.Functions}
	tokens         = objects[functions.Token]{table.Tokens}
	crons          = objects[functions.Cron]{table.Crons}
	triggers       = objects[functions.Trigger]{table.Triggers}
	domains        = objects[functions.Domain]{table.Domains}
)

// tables are all tables. A table comes after those that its objects refer to.
var tables = []anyTable{projects, apiKeys, namespaces, functionsTable, tokens, crons, triggers, domains}

// tableOf returns the table of an object, or table.ErrUnknown.
func tableOf(object store.Object) (anyTable, error) {
	for _, t := range tables {
		if t.Holds() == reflect.TypeOf(object) {
			return t, nil
		}
	}
	return nil, table.ErrUnknown
}

// tableNamed returns the table with a name.
func tableNamed(name string) (anyTable, error) {
	for _, t := range tables {
		if t.TableName() == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%w: %.200q is not a kind of object", table.ErrUndecodable, name)
}
