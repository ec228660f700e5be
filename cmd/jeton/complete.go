package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// shellCommands are the commands and flags for shells and manual pages.
type shellCommands struct {
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`

	Completion completionCommand `cmd:"" help:"Print the completion script of a shell."`
	Man        manCommand        `cmd:"" help:"Write the manual pages of all commands."`
	Complete   completeCommand   `cmd:"" name:"__complete" hidden:"" passthrough:"" help:"Print the candidates for a command line."`
}

// completionCommand prints the completion script of a shell.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Shell: bash, zsh or fish."`
}

// Help implements kong.HelpProvider.
func (*completionCommand) Help() string {
	return `Load the completion in the current shell:

  bash  source <(jeton completion bash)
  zsh   source <(jeton completion zsh)
  fish  jeton completion fish | source

To load it in every shell, write that line to ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish.`
}

// completionScripts call 'jeton __complete' with the words of the command line. It prints one
// candidate per line, with a description after a tab.
var completionScripts = map[string]string{
	"bash": `_jeton() {
  local IFS=$'\n' line
  COMPREPLY=()
  while read -r line; do COMPREPLY+=("${line%%$'\t'*}"); done < <(jeton __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _jeton jeton
`,
	"zsh": `#compdef jeton
_jeton() {
  local -a found
  local line
  for line in "${(@f)$(jeton __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  if (( $#found )); then _describe jeton found; else _files; fi
}
compdef _jeton jeton
`,
	"fish": `function __jeton_complete
  jeton __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null
end
complete -c jeton -a '(__jeton_complete)'
`,
}

// Run prints the script.
func (c *completionCommand) Run(s streams) error {
	_, err := fmt.Fprint(s.out, completionScripts[c.Shell])
	return err
}

// completeCommand prints the candidates for the last word of a command line.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"Words after the program, the last of which is incomplete."`
}

// completeTimeout is the maximum time of requests for the names of functions.
const completeTimeout = time.Second

// Run prints one candidate per line. It prints nothing, and returns no error, if there are none.
func (c *completeCommand) Run(ctx context.Context, line *commandLine, app *kong.Kong, s streams) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	found := complete(app.Model.Node, words)
	if found.argument == "function" {
		ctx, cancel := context.WithTimeout(ctx, completeTimeout)
		defer cancel()
		found.add(functionNames(ctx, line)...)
	}
	for _, candidate := range found.all {
		if strings.HasPrefix(candidate.word, found.prefix) {
			fmt.Fprintf(s.out, "%s\t%s\n", candidate.word, candidate.help)
		}
	}
	return nil
}

type suggestion struct{ word, help string }

// suggestions are the candidates for the last word of a command line.
type suggestions struct {
	prefix string
	all    []suggestion
	// argument is the name of the positional argument that the word can be; empty for none.
	argument string
}

func (s *suggestions) add(all ...suggestion) { s.all = append(s.all, all...) }

// complete returns the candidates for the last of words, which may be empty.
func complete(node *kong.Node, words []string) suggestions {
	// bash splits --flag=value into three words.
	words = slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word == "=" })
	if len(words) == 0 {
		words = []string{""}
	}
	last := len(words) - 1
	found := suggestions{prefix: words[last]}
	var pending *kong.Flag
	arguments := 0
	for _, word := range words[:last] {
		if pending != nil {
			pending = nil
			continue
		}
		if strings.HasPrefix(word, "-") {
			pending = valueFlag(node, word)
			continue
		}
		if child := childOf(node, word); child != nil {
			node = child
			continue
		}
		arguments++
	}
	switch {
	case pending != nil:
		found.addEnum(pending.Value)
		if pending.Name == "only" || pending.Name == "function" {
			found.argument = "function"
		}
	case strings.HasPrefix(found.prefix, "-"):
		found.add(flagsOf(node)...)
	default:
		for _, child := range node.Children {
			if child.Type == kong.CommandNode && !child.Hidden {
				found.add(suggestion{child.Name, child.Help})
			}
		}
		found.addArgument(node, arguments)
	}
	return found
}

// addArgument adds the candidates for the positional argument of a command with an index. The
// last argument can be repeated.
func (s *suggestions) addArgument(node *kong.Node, index int) {
	if len(node.Positional) == 0 || index >= len(node.Positional) && !node.Positional[len(node.Positional)-1].IsCumulative() {
		return
	}
	argument := node.Positional[min(index, len(node.Positional)-1)]
	s.argument = argument.Name
	s.addEnum(argument)
}

// addEnum adds the values that a flag or an argument accepts, if they are listed.
func (s *suggestions) addEnum(value *kong.Value) {
	if value.Enum == "" {
		return
	}
	for _, word := range value.EnumSlice() {
		s.add(suggestion{word: word})
	}
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name || slices.Contains(child.Aliases, name) {
			return child
		}
	}
	return nil
}

// valueFlag returns the flag of a word whose value is the next word; nil if there is none.
func valueFlag(node *kong.Node, word string) *kong.Flag {
	if strings.Contains(word, "=") {
		return nil
	}
	for at := node; at != nil; at = at.Parent {
		for _, flag := range at.Flags {
			if (word == "--"+flag.Name || flag.Short != 0 && word == "-"+string(flag.Short)) && !flag.IsBool() && !flag.IsCounter() {
				return flag
			}
		}
	}
	return nil
}

// flagsOf returns the flags of a command and of its parents.
func flagsOf(node *kong.Node) []suggestion {
	var found []suggestion
	for at := node; at != nil; at = at.Parent {
		for _, flag := range at.Flags {
			if flag.Hidden {
				continue
			}
			found = append(found, suggestion{"--" + flag.Name, flag.Help})
			if flag.Tag.Negatable != "" {
				found = append(found, suggestion{"--no-" + flag.Name, flag.Help})
			}
		}
	}
	return found
}

// functionNames returns the names of the functions of the server that the environment selects;
// none if it does not answer.
func functionNames(ctx context.Context, line *commandLine) []suggestion {
	server, err := connectFlags{}.connect(line)
	if err != nil {
		return nil
	}
	all, err := server.AllFunctions(ctx, nil)
	if err != nil {
		return nil
	}
	found := make([]suggestion, len(all))
	for i, f := range all {
		found[i] = suggestion{f.Name(), string(f.Function.Runtime)}
	}
	return found
}
