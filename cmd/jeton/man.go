package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
)

// manCommand writes the manual pages.
type manCommand struct {
	Dir string `arg:"" help:"Folder for the pages, such as /usr/local/share/man/man1."`
}

// Run writes one page per command.
func (c *manCommand) Run(app *kong.Kong, s streams) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil { //nolint:gosec // Manual pages are public.
		return fmt.Errorf("write manual pages: %w", err)
	}
	pages := manualPages(app.Model.Node)
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(c.Dir, name+".1"), []byte(page), 0o644); err != nil { //nolint:gosec // As above.
			return fmt.Errorf("write manual pages: %w", err)
		}
	}
	_, err := fmt.Fprintf(s.out, "wrote %d pages to %s\n", len(pages), c.Dir)
	return err
}

// manualPages returns the manual page of a command and those of its children, by name.
func manualPages(node *kong.Node) map[string]string {
	name := pageName(node)
	pages := map[string]string{name: manualPage(name, node)}
	for _, child := range node.Children {
		if child.Type != kong.CommandNode || child.Hidden {
			continue
		}
		for name, page := range manualPages(child) {
			pages[name] = page
		}
	}
	return pages
}

// pageName returns the name of the page of a command, such as jeton-token-create.
func pageName(node *kong.Node) string {
	if node.Parent == nil {
		return node.Name
	}
	return pageName(node.Parent) + "-" + node.Name
}

// manualPage returns a page in the man macros of roff.
func manualPage(name string, node *kong.Node) string {
	var page strings.Builder
	help := node.Help
	if node.Parent == nil {
		help = "serverless functions on your own machine"
	}
	fmt.Fprintf(&page, ".TH %s 1 \"\" \"Jeton\" \"Jeton\"\n", strings.ToUpper(roff(name)))
	fmt.Fprintf(&page, ".SH NAME\n%s \\- %s\n", roff(name), roff(strings.TrimSuffix(help, ".")))
	fmt.Fprintf(&page, ".SH SYNOPSIS\n.B %s\n", roff(strings.ReplaceAll(name, "-", " ")))
	if synopsis := summaryOf(node); synopsis != "" {
		fmt.Fprintf(&page, "%s\n", roff(synopsis))
	}
	fmt.Fprintf(&page, ".SH DESCRIPTION\n%s\n", paragraphs(node.Help))
	if node.Detail != "" {
		fmt.Fprintf(&page, ".PP\n%s\n", paragraphs(node.Detail))
	}
	writeItems(&page, "ARGUMENTS", argumentsOf(node))
	writeItems(&page, "COMMANDS", commandsOf(node))
	writeItems(&page, "OPTIONS", optionsOf(node))
	if node.Parent != nil {
		fmt.Fprintf(&page, ".SH SEE ALSO\n.BR %s (1)\n", roff(pageName(node.Parent)))
	}
	return page.String()
}

// summaryOf returns the arguments of a command line.
func summaryOf(node *kong.Node) string {
	words := []string{}
	for _, argument := range node.Positional {
		words = append(words, argument.Summary())
	}
	if len(commandsOf(node)) > 0 {
		words = append(words, "<command>")
	}
	return strings.Join(append(words, "[flags]"), " ")
}

// An item is an entry of a list: a term and its description.
type item struct{ term, text string }

func writeItems(page *strings.Builder, heading string, items []item) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(page, ".SH %s\n", heading)
	for _, i := range items {
		fmt.Fprintf(page, ".TP\n.B %s\n%s\n", roff(i.term), roff(i.text))
	}
}

func argumentsOf(node *kong.Node) []item {
	var items []item
	for _, argument := range node.Positional {
		items = append(items, item{argument.Summary(), argument.Help})
	}
	return items
}

func commandsOf(node *kong.Node) []item {
	var items []item
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			items = append(items, item{child.Name, child.Help})
		}
	}
	return items
}

// optionsOf returns the flags of a command and of its parents.
func optionsOf(node *kong.Node) []item {
	var items []item
	for at := node; at != nil; at = at.Parent {
		for _, flag := range at.Flags {
			if flag.Hidden {
				continue
			}
			term := "--" + flag.Name
			if flag.Tag.Negatable != "" {
				term = "--[no-]" + flag.Name
			}
			if !flag.IsBool() {
				term += "=" + flag.FormatPlaceHolder()
			}
			if flag.Short != 0 {
				term = "-" + string(flag.Short) + ", " + term
			}
			items = append(items, item{term, formatHelp(flag.Value)})
		}
	}
	return items
}

// paragraphs returns a text with roff's requests between its paragraphs. Indented lines keep
// their line breaks.
func paragraphs(text string) string {
	var formatted []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		escaped := roff(paragraph)
		if strings.HasPrefix(paragraph, "  ") {
			escaped = ".nf\n" + escaped + "\n.fi"
		}
		formatted = append(formatted, escaped)
	}
	return strings.Join(formatted, "\n.PP\n")
}

// roff escapes a text for roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
