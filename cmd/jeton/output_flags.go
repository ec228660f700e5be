package main

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/jeton-dev/jeton/internal/printable"
)

// outputFlags select the format of the output.
type outputFlags struct {
	Output string `short:"o" help:"Format of the output: table or json." enum:"table,json" default:"table" placeholder:"FORMAT"`
	JSON   bool   `name:"json" help:"Same as -o json." hidden:""`
}

// json reports whether the output is JSON.
func (o outputFlags) json() bool { return o.JSON || o.Output == "json" }

// print prints a table with a heading, or the objects as JSON.
func (o outputFlags) print(out io.Writer, objects any, heading string, rows [][]string) error {
	if o.json() {
		if list := reflect.ValueOf(objects); list.Kind() == reflect.Slice && list.IsNil() {
			objects = []struct{}{} // An empty list is [], not null.
		}
		return printJSON(out, objects)
	}
	return printTable(out, heading, rows)
}

// printTable prints a table. The heading has the columns separated by tabs.
func printTable(out io.Writer, heading string, rows [][]string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, heading)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = printable.Line(cell)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// printObject prints the fields of one object as a table of names and values, or the object as
// JSON. Fields without a value are omitted from the table.
func (o outputFlags) printObject(out io.Writer, object any, fields [][2]string) error {
	if o.json() {
		return printJSON(out, object)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, field := range fields {
		if field[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", field[0], strings.ReplaceAll(printable.Text(field[1]), "\n", "\n\t"))
		}
	}
	return table.Flush()
}
