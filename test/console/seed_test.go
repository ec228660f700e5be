//go:build console

package console_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// manyQuotas permits as many objects as the tests create.
func manyQuotas(c *server.Config) { c.Isolation = "none" }

// seed stops the server, adds functions and tokens to its database, and starts it again.
// It returns the number of functions.
func (w *world) seed(count, tokens int) int {
	w.t.Helper()
	w.Stop()
	db, err := sql.Open("sqlite", filepath.Join(w.DataDir, "jeton.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var before int
	if err := db.QueryRow("SELECT count(*) FROM functions").Scan(&before); err != nil {
		w.t.Fatal(err)
	}
	now := time.Now().UTC()
	namespace := functions.Namespace{
		ID: "0a0a0a0a-0000-4000-8000-000000000001", Region: "fr-par", ProjectID: w.ProjectID, OrganizationID: w.OrganizationID, Name: "shop", Slug: "shop12345678",
		Status: functions.Ready, PublicKey: "public", PrivateKey: []byte("sealed"), CreatedAt: now, UpdatedAt: now,
	}
	for _, statement := range []struct {
		query     string
		arguments []any
	}{
		{
			`INSERT OR IGNORE INTO namespaces (id, region, project_id, name, created_at, body) VALUES (?, ?, ?, ?, ?, ?)`,
			[]any{namespace.ID, "fr-par", w.ProjectID, namespace.Name, now.UnixNano(), document(w.t, namespace)},
		},
		{
			`WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1 + ?2)
		  INSERT INTO functions (id, region, project_id, organization_id, namespace_id, name, created_at, body)
		  SELECT printf('0b0b0b0b-0000-4000-8000-%012d', i), 'fr-par', ?3, ?4, ?5, printf('function-%05d', i), ?6 + i,
		    json_set(?7, '$.ID', printf('0b0b0b0b-0000-4000-8000-%012d', i), '$.Name', printf('function-%05d', i), '$.DomainName', printf('shop-function-%05d.example.com', i))
		  FROM n WHERE ?2 > 0`,
			[]any{before, count, w.ProjectID, w.OrganizationID, namespace.ID, now.UnixNano(), document(w.t, seededFunction(namespace, now))},
		},
		{
			`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
		  INSERT INTO tokens (id, region, project_id, namespace_id, function_id, created_at, body)
		  SELECT printf('0c0c0c0c-0000-4000-8000-%012d', i), 'fr-par', ?2, NULL, printf('0b0b0b0b-0000-4000-8000-%012d', i % 10000), ?3 + i,
		    json_set(?4, '$.ID', printf('0c0c0c0c-0000-4000-8000-%012d', i), '$.FunctionID', printf('0b0b0b0b-0000-4000-8000-%012d', i % 10000),
		      '$.Description', printf('caller %d', i), '$.Digest', printf('%064x', i), '$.ExpiresAt', CASE WHEN i % 1000 = 0 THEN ?5 ELSE '0001-01-01T00:00:00Z' END)
		  FROM n WHERE ?1 > 0`,
			[]any{tokens, w.ProjectID, now.UnixNano(), document(w.t, functions.Token{Region: "fr-par", ProjectID: w.ProjectID, Status: functions.Ready, CreatedAt: now}), now.Add(72 * time.Hour).Format(time.RFC3339)},
		},
	} {
		if _, err := db.Exec(statement.query, statement.arguments...); err != nil {
			w.t.Fatalf("seed: %v", err)
		}
	}
	_ = db.Close()
	w.Restart()
	for i, entry := range w.env {
		switch {
		case len(entry) > 10 && entry[:10] == "JETON_URL=":
			w.env[i] = "JETON_URL=" + w.APIURL
		case len(entry) > 14 && entry[:14] == "JETON_GATEWAY=":
			w.env[i] = "JETON_GATEWAY=" + w.GatewayURL
		}
	}
	return before + count
}

func seededFunction(n functions.Namespace, now time.Time) functions.Function {
	return functions.Function{
		Region: "fr-par", ProjectID: n.ProjectID, OrganizationID: n.OrganizationID, NamespaceID: n.ID, Status: functions.Created, Runtime: "node22",
		Handler: "handler.handle", Privacy: functions.Private, HTTPOption: functions.HTTPEnabled, Sandbox: "v2", MaxScale: 5, MemoryLimit: 256, CPULimit: 140,
		Timeout: time.Minute, CreatedAt: now, UpdatedAt: now,
	}
}

// busy writes 20000 log lines of a function and changes objects 300 times.
func (w *world) busy(functionID string) error {
	logs, err := output.Open(filepath.Join(w.DataDir, output.Dir), server.DefaultLogSize)
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }()
	for i := range 20_000 {
		err := logs.Append(output.Entry{At: time.Now(), Function: functionID, Stream: output.Stdout, Text: fmt.Sprintf("line %d of a long day", i)})
		if err != nil {
			return err
		}
	}
	for i := range 300 {
		if err := w.describe(functionID, fmt.Sprintf("change %d", i)); err != nil {
			return err
		}
	}
	return nil
}

// describe changes the description of a function.
func (w *world) describe(functionID, description string) error {
	body := strings.NewReader(`{"description":"` + description + `"}`)
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPatch, w.APIURL+"/functions/v1beta1/regions/fr-par/functions/"+functionID, body)
	if err != nil {
		return err
	}
	r.Header.Set("X-Auth-Token", w.SecretKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("change a function: got status %d", answer.StatusCode)
	}
	return nil
}

func document(t *testing.T, object any) string {
	t.Helper()
	text, err := table.Document(object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
