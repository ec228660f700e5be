package cluster_test

import (
	"fmt"
	"strings"

	server "github.com/jeton-dev/jeton/test/postgres"
)

// tables are all tables of the database but that of the schema's version.
var tables = []string{
	"projects", "api_keys", "namespaces", "functions", "tokens", "crons", "triggers", "domains", "members",
	"api_keys_uses", "tokens_uses", "tokens_counts", "changes", "head", "settings",
}

// save copies the database, and returns a function that makes it go back to the copy.
func (w *world) save() (restore func()) {
	w.t.Helper()
	var save, load []string
	for _, name := range tables {
		save = append(save, fmt.Sprintf("CREATE TABLE saved_%[1]s AS TABLE %[1]s", name))
		load = append(load, fmt.Sprintf("DELETE FROM %[1]s; INSERT INTO %[1]s SELECT * FROM saved_%[1]s", name))
	}
	// One transaction with the head row locked, as one state.
	server.Execute(w.t, w.address, "BEGIN; SELECT number FROM head FOR UPDATE; "+strings.Join(save, "; ")+"; COMMIT")
	return func() {
		w.t.Helper()
		// Rules of other tables do not apply to a replica.
		server.Execute(w.t, w.address, "SET session_replication_role = replica; BEGIN; LOCK TABLE head, members; "+strings.Join(load, "; ")+"; COMMIT")
	}
}

// nodeNamed returns the node with a name.
func (w *world) nodeNamed(name string) *node {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}
