package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/server"
)

// ask asks the running server that uses a data folder, through the owner's
// socket, to do something. The server has the only hand in its database, so there
// is no way around it.
func ask[T any](dataDir, what string, ask func(*admin.Client) (T, error)) (T, error) {
	endpoints, serving := server.Reach(dataDir)
	if !serving {
		var none T
		return none, fmt.Errorf("no server uses %s now: start 'jeton serve' first, or name the folder with --data-dir", dataDir)
	}
	answer, err := ask(admin.NewClient(endpoints.Admin))
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return answer, err
}

// listing is how a list is printed.
type listing struct {
	JSON bool `name:"json" help:"Print JSON, for programs."`
}

// print prints a table with a heading, or the objects as JSON.
func (l listing) print(out io.Writer, objects any, heading string, rows [][]string) error {
	if l.JSON {
		return printJSON(out, objects)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, heading)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

func printJSON(out io.Writer, objects any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(objects)
}

// orWord writes an instant, or a word where there is none.
func orWord(at *time.Time, word string) string {
	if at == nil {
		return word
	}
	return at.Local().Format(time.RFC3339)
}
