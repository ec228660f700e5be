package main

import (
	"go/scanner"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Finding is one forbidden turn of phrase.
type Finding struct {
	// Line counts from 1.
	Line int
	// Text is what was found, Instead what to write.
	Text, Instead string
}

// exceptions are standard terms that contain a forbidden word.
var exceptions = []string{"wall clock", "wall time", "wall times", "there is none", "there are none", "there was none", "there were none"}

// Check returns what rules forbid in the content of a file. Of Go files it checks
// comments and string literals, of Markdown the text outside of code, and of programs
// in other languages, Makefiles and configuration files the comments. It ignores files
// of other kinds.
func Check(rules []Rule, name, content string) []Finding {
	var findings []Finding
	lines := strings.Split(content, "\n")
	for _, piece := range pieces(name, content) {
		text, starts := joined(piece)
		for _, rule := range rules {
			for _, match := range rule.pattern.FindAllStringIndex(text, -1) {
				found := text[match[0]:match[1]]
				line := lineAt(starts, match[0])
				if !slices.Contains(exceptions, strings.ToLower(found)) && !allows(lines, line) {
					findings = append(findings, Finding{line, found, rule.instead})
				}
			}
		}
	}
	return findings
}

// A start is the offset in a joined text at which a line of the file begins.
type start struct{ offset, line int }

// joined returns the words of a piece with single spaces between them, and where
// each line begins.
func joined(p piece) (string, []start) {
	var text strings.Builder
	var starts []start
	for number, line := range strings.Split(p.text, "\n") {
		words := strings.Join(strings.Fields(line), " ")
		if words == "" {
			continue
		}
		if text.Len() > 0 {
			text.WriteByte(' ')
		}
		starts = append(starts, start{text.Len(), p.line + number})
		text.WriteString(words)
	}
	return text.String(), starts
}

// lineAt returns the line of the file that an offset of a joined text is on.
func lineAt(starts []start, offset int) int {
	line := 1
	for _, s := range starts {
		if s.offset > offset {
			break
		}
		line = s.line
	}
	return line
}

// allows reports whether a line, or the one before it, is marked.
func allows(lines []string, line int) bool {
	for _, n := range []int{line - 1, line - 2} {
		if n >= 0 && n < len(lines) && strings.Contains(lines[n], allowed) {
			return true
		}
	}
	return false
}

// A piece is prose that begins at a line.
type piece struct {
	line int
	text string
}

func pieces(name, content string) []piece {
	switch {
	case filepath.Ext(name) == ".go":
		return goPieces(content)
	case filepath.Ext(name) == ".md":
		return []piece{{1, outsideOfCode(content)}}
	case name == "Makefile", slices.Contains([]string{".sh", ".yml", ".yaml", ".txt", ".py", ".tf"}, filepath.Ext(name)):
		return []piece{{1, comments(content, "#")}}
	case slices.Contains([]string{".js", ".mjs", ".cjs", ".php", ".rs", ".tmpl"}, filepath.Ext(name)):
		return []piece{{1, comments(content, "//", " * ", "/**")}}
	case filepath.Ext(name) == ".sql":
		return []piece{{1, comments(content, "--")}}
	}
	return nil
}

// goPieces returns the comments and string literals of a Go file. Comments on
// consecutive lines are one piece, since a sentence may span them.
func goPieces(content string) []piece {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(content))
	var s scanner.Scanner
	s.Init(file, []byte(content), func(token.Position, string) {}, scanner.ScanComments)
	var found []piece
	comment := -1 // The line of the comment before, if nothing followed it.
	for {
		position, kind, literal := s.Scan()
		line := file.Line(position)
		switch {
		case kind == token.EOF:
			return found
		case kind == token.COMMENT && comment == line-1:
			found[len(found)-1].text += "\n" + strings.TrimPrefix(literal, "//")
			comment = line
		case kind == token.COMMENT:
			found = append(found, piece{line, strings.Trim(literal, "/*")})
			comment = line
		case kind == token.STRING:
			found = append(found, piece{line, literal})
			comment = -1
		case kind != token.SEMICOLON || literal != "\n":
			comment = -1
		}
	}
}

var inlineCode = regexp.MustCompile("`[^`\n]*`")

// outsideOfCode blanks fenced blocks and inline code.
func outsideOfCode(markdown string) string {
	fenced := false
	lines := strings.Split(markdown, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			lines[i] = ""
		} else if fenced {
			lines[i] = ""
		}
		lines[i] = inlineCode.ReplaceAllString(lines[i], "")
	}
	return strings.Join(lines, "\n")
}

// comments blanks everything but what follows the first of the markers on a line, and
// keeps the number of lines.
func comments(content string, markers ...string) string {
	lines := strings.Split(content, "\n")
	for i, line := range lines {
		lines[i] = ""
		for _, marker := range markers {
			if _, comment, ok := strings.Cut(line, marker); ok {
				lines[i] = comment
				break
			}
		}
	}
	return strings.Join(lines, "\n")
}
