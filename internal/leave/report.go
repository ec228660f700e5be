package leave

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/printable"
)

// A Report is the outcome of an import or of a dry run.
type Report struct {
	DryRun     bool               `json:"dry_run"`
	Issuer     string             `json:"issuer"`
	Namespaces []*NamespaceReport `json:"namespaces"`
	Problems   []Problem          `json:"problems"`
}

// A NamespaceReport counts the objects of one namespace.
type NamespaceReport struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Region         string `json:"region"`
	ProjectCreated bool   `json:"project_created"`
	// Keys is the number of public keys for the tokens of the source. KeyFollows means that
	// the dry run has requested none, and the import will.
	Keys       int              `json:"keys"`
	KeyFollows bool             `json:"key_follows,omitempty"`
	Counts     map[string]Count `json:"counts"`
}

// A Count is the number of objects of one kind, by what the import did with them.
type Count struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`
	Refused   int `json:"refused"`
	Revoked   int `json:"revoked"`
}

// A Problem is what was not imported, or needs attention.
type Problem struct {
	Namespace string `json:"namespace"`
	Kind      string `json:"kind"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Text      string `json:"text"`
	// Failed means that the object was not imported completely.
	Failed bool `json:"failed"`
}

func (n *NamespaceReport) add(r admin.ImportResult) {
	c := n.Counts[r.Kind]
	switch r.Action {
	case functions.ImportCreated:
		c.Created++
	case functions.ImportUpdated:
		c.Updated++
	case functions.ImportUnchanged:
		c.Unchanged++
	case functions.ImportSkipped:
		c.Skipped++
	case functions.ImportRefused:
		c.Refused++
	case functions.ImportRevoked:
		c.Revoked++
	}
	n.Counts[r.Kind] = c
}

// problemOf returns what a result means for the user, and whether it is worth a line.
func problemOf(namespace string, r admin.ImportResult) (Problem, bool) {
	p := Problem{Namespace: namespace, Kind: r.Kind, ID: r.ID, Name: r.Name, Text: r.Reason, Failed: r.Action == functions.ImportRefused}
	// The reason begins with the error message if values of secret variables are missing.
	if r.Status == functions.Failed && (p.Text == "" || !strings.HasPrefix(p.Text, r.ErrorMessage)) {
		p.Text = strings.TrimPrefix(p.Text+"; its last deployment failed: "+r.ErrorMessage, "; ")
	}
	return p, p.Text != ""
}

// Failed returns the number of objects that were not imported completely.
func (r *Report) Failed() int {
	failed := 0
	for _, p := range r.Problems {
		if p.Failed {
			failed++
		}
	}
	return failed
}

func (r *Report) sort() {
	slices.SortStableFunc(r.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
}

// columns are the kinds of the table, with their headings.
var columns = []struct{ kind, heading string }{
	{"function", "FUNCTIONS"}, {"code", "CODE"}, {"cron", "CRONS"}, {"trigger", "TRIGGERS"}, {"domain", "DOMAINS"}, {"token", "TOKENS"},
}

// Print prints a table with a row for each namespace, and then the problems. A cell is the
// number of objects, with the numbers of those that are new (+), changed (~), not imported
// (!) and deleted (-).
func (r *Report) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	headings := []string{"NAMESPACE", "REGION", "KEY"}
	for _, c := range columns {
		headings = append(headings, c.heading)
	}
	fmt.Fprintln(table, strings.Join(headings, "\t"))
	total := map[string]Count{}
	for _, n := range r.Namespaces {
		key := "none"
		switch {
		case n.Keys > 0:
			key = "yes"
		case n.KeyFollows:
			key = "requested"
		}
		row := []string{printable.Line(n.Name), printable.Line(n.Region), key}
		for _, c := range columns {
			total[c.kind] = total[c.kind].plus(n.Counts[c.kind])
			row = append(row, n.Counts[c.kind].cell())
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	last := []string{fmt.Sprint(len(r.Namespaces), " in total"), "", ""}
	for _, c := range columns {
		last = append(last, total[c.kind].cell())
	}
	fmt.Fprintln(table, strings.Join(last, "\t"))
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(to, "(+ new, ~ changed, ! not imported, - revoked at the source)")
	return r.printProblems(to)
}

// maxLines is the maximum number of problems with the same text that are printed one by
// one.
const maxLines = 20

func (r *Report) printProblems(to io.Writer) error {
	if len(r.Problems) == 0 {
		return nil
	}
	fmt.Fprintln(to)
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAMESPACE\tOBJECT\tPROBLEM")
	lines := map[string]int{}
	for _, p := range r.Problems {
		if lines[p.Text]++; lines[p.Text] <= maxLines {
			fmt.Fprintf(table, "%s\t%s %s\t%s\n", printable.Line(p.Namespace), p.Kind, printable.Line(cmp.Or(p.Name, p.ID)), printable.Line(p.Text))
		}
	}
	for text, count := range lines {
		if count > maxLines {
			fmt.Fprintf(table, "\t%d more\t%s\n", count-maxLines, printable.Line(text))
		}
	}
	return table.Flush()
}

func (c Count) plus(d Count) Count {
	return Count{c.Created + d.Created, c.Updated + d.Updated, c.Unchanged + d.Unchanged, c.Skipped + d.Skipped, c.Refused + d.Refused, c.Revoked + d.Revoked}
}

func (c Count) cell() string {
	cell := fmt.Sprint(c.Created + c.Updated + c.Unchanged)
	for _, part := range []struct {
		sign  string
		count int
	}{{"+", c.Created}, {"~", c.Updated}, {"!", c.Refused + c.Skipped}, {"-", c.Revoked}} {
		if part.count > 0 {
			cell += fmt.Sprintf(" %s%d", part.sign, part.count)
		}
	}
	return cell
}
