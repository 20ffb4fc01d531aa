package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
)

var completeVerb = verb{
	name:    "complete",
	line:    "[--json] SHELL",
	summary: "Complete prints the completion script of a shell: bash, zsh, fish or powershell.",
	help: `  --json          Print it as a field of a JSON object.

  bash            source <(aspstate complete bash), in ~/.bashrc
  zsh             aspstate complete zsh > "${fpath[1]}/_aspstate"
  fish            aspstate complete fish > ~/.config/fish/completions/aspstate.fish
  powershell      aspstate complete powershell | Out-String | Invoke-Expression,
                  in $PROFILE`,
	run: complete,
}

var shells = map[string]func([]verb) string{
	"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript,
}

var shellNames = []string{"bash", "zsh", "fish", "powershell"}

// complete is the verb.
func complete(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	if code, done := c.parse(flags, 1); done {
		return code
	}
	script, ok := shells[c.file]
	if !ok {
		fmt.Fprintf(c.stderr, "aspstate: complete: SHELL is bash, zsh, fish or powershell, not %s\n", quote(c.file, keyWidth))
		return exitUsage
	}
	return c.document(*asJSON, "script", script(documented(c.all)))
}

// document prints a text as it is or as a field of JSON.
func (c *call) document(asJSON bool, field, text string) int {
	if !asJSON {
		return c.write([]byte(text), exitOK)
	}
	b, err := json.Marshal(map[string]string{field: text})
	if err != nil {
		return c.fails(err)
	}
	return c.write(append(b, '\n'), exitOK)
}

// names of top-level verbs, and of those behind sql.
func verbNames(list []verb) (top, behindSQL []string) {
	for _, v := range list {
		if second, ok := strings.CutPrefix(v.name, "sql "); ok {
			behindSQL = append(behindSQL, second)
		} else {
			top = append(top, v.name)
		}
	}
	return append(top, "help"), behindSQL
}

func bashScript(list []verb) string {
	top, sql := verbNames(list)
	var b strings.Builder
	fmt.Fprintf(&b, `# Completion of aspstate for bash.
_aspstate() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W %q -- "$cur"))
        return
    fi
    case $verb in
    help)
        COMPREPLY=($(compgen -W %q -- "$cur"))
        return ;;
    sql)
        if ((COMP_CWORD == 2)); then
            COMPREPLY=($(compgen -W %q -- "$cur"))
            return
        fi
        verb="sql ${COMP_WORDS[2]}" ;;
    esac
    local flags= files= values= operand=
    case $verb in
`, strings.Join(top, " "), strings.Join(top, " "), strings.Join(sql, " "))
	for _, v := range list {
		var all, files, values []string
		for _, f := range v.flags() {
			all = append(all, f.name)
			switch {
			case f.takesFile():
				files = append(files, f.name)
			case f.arg != "":
				values = append(values, f.name)
			}
		}
		fmt.Fprintf(&b, "    %q) flags=%q files=%q values=%q operand=%q ;;\n", v.name,
			strings.Join(all, " "), strings.Join(files, " "), strings.Join(values, " "), v.operand())
	}
	fmt.Fprintf(&b, `    esac
    if [[ $prev == --* && " $files " == *" $prev "* ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    elif [[ $prev == --* && " $values " == *" $prev "* ]]; then
        return
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    elif [[ $operand == FILE ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    elif [[ $operand == SHELL ]]; then
        COMPREPLY=($(compgen -W %q -- "$cur"))
    fi
}
complete -o filenames -F _aspstate aspstate
`, strings.Join(shellNames, " "))
	return b.String()
}

// quoteSh quotes for the shells that know nothing but single quotes.
func quoteSh(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func zshScript(list []verb) string {
	plain := strings.NewReplacer(":", `\:`, "[", `\[`, "]", `\]`)
	describe := func(b *strings.Builder, list []verb) {
		for _, v := range list {
			name := strings.TrimPrefix(v.name, "sql ")
			fmt.Fprintf(b, "        %s\n", quoteSh(name+":"+plain.Replace(v.summary)))
		}
	}
	var top, sql []verb
	for _, v := range list {
		if strings.HasPrefix(v.name, "sql ") {
			sql = append(sql, v)
		} else {
			top = append(top, v)
		}
	}
	var b strings.Builder
	b.WriteString("#compdef aspstate\n# Completion of aspstate for zsh.\n_aspstate() {\n    local -a verbs\n    verbs=(\n")
	describe(&b, append(slices.Clone(top), verb{name: "help", summary: "Help explains the tool, or one verb."}))
	b.WriteString("    )\n    if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n        _describe verb verbs\n        return\n    fi\n")
	b.WriteString("    local verb=$words[2]\n    shift words\n    (( CURRENT-- ))\n    if [[ $verb == sql ]]; then\n        verbs=(\n")
	describe(&b, sql)
	b.WriteString("        )\n        if (( CURRENT == 2 )); then\n            _describe verb verbs\n            return\n        fi\n")
	b.WriteString("        verb=\"sql $words[2]\"\n        shift words\n        (( CURRENT-- ))\n    fi\n    case $verb in\n")
	for _, v := range list {
		fmt.Fprintf(&b, "    %s)\n        _arguments", quoteSh(v.name))
		for _, f := range v.flags() {
			spec := f.name + "[" + plain.Replace(f.text) + "]"
			switch {
			case f.takesFile():
				spec += ":" + f.arg + ":_files"
			case f.arg != "":
				spec += ":" + plain.Replace(f.arg) + ": "
			}
			fmt.Fprintf(&b, " \\\n            %s", quoteSh(spec))
		}
		switch v.operand() {
		case "FILE":
			b.WriteString(" \\\n            '1:FILE:_files'")
		case "SHELL":
			fmt.Fprintf(&b, " \\\n            '1:SHELL:(%s)'", strings.Join(shellNames, " "))
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString("    esac\n}\nif [[ $funcstack[1] == _aspstate ]]; then\n    _aspstate \"$@\"\nelse\n    compdef _aspstate aspstate\nfi\n")
	return b.String()
}

func fishScript(list []verb) string {
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
	}
	top, sql := verbNames(list)
	var b strings.Builder
	b.WriteString("# Completion of aspstate for fish.\ncomplete -c aspstate -f\n")
	for _, v := range list {
		when, name := "__fish_use_subcommand", v.name
		if second, ok := strings.CutPrefix(v.name, "sql "); ok {
			when, name = "__fish_seen_subcommand_from sql; and not __fish_seen_subcommand_from "+strings.Join(sql, " "), second
		}
		fmt.Fprintf(&b, "complete -c aspstate -n %s -a %s -d %s\n", quote(when), name, quote(v.summary))
	}
	fmt.Fprintf(&b, "complete -c aspstate -n __fish_use_subcommand -a help -d 'Help explains the tool, or one verb.'\n")
	fmt.Fprintf(&b, "complete -c aspstate -n '__fish_seen_subcommand_from help' -a %s\n", quote(strings.Join(top, " ")))
	for _, v := range list {
		when := "__fish_seen_subcommand_from " + strings.ReplaceAll(v.name, " ", "; and __fish_seen_subcommand_from ")
		for _, f := range v.flags() {
			takes := ""
			switch {
			case f.takesFile():
				takes = " -r -F"
			case f.arg != "":
				takes = " -x"
			}
			fmt.Fprintf(&b, "complete -c aspstate -n %s -l %s%s -d %s\n", quote(when), strings.TrimPrefix(f.name, "--"), takes, quote(f.text))
		}
		switch v.operand() {
		case "FILE":
			fmt.Fprintf(&b, "complete -c aspstate -n %s -F\n", quote(when))
		case "SHELL":
			fmt.Fprintf(&b, "complete -c aspstate -n %s -a %s\n", quote(when), quote(strings.Join(shellNames, " ")))
		}
	}
	return b.String()
}

func powershellScript(list []verb) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	top, sql := verbNames(list)
	quoted := func(words []string) string {
		var q []string
		for _, w := range words {
			q = append(q, quote(w))
		}
		return "@(" + strings.Join(q, ", ") + ")"
	}
	var b strings.Builder
	b.WriteString(`# Completion of aspstate for PowerShell.
Register-ArgumentCompleter -Native -CommandName aspstate -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $flags = @{
`)
	for _, v := range list {
		var names []string
		for _, f := range v.flags() {
			names = append(names, f.name)
		}
		fmt.Fprintf(&b, "        %s = %s\n", quote(v.name), quoted(names))
	}
	fmt.Fprintf(&b, `    }
    $verb = if ($words.Count -gt 1) { $words[1] } else { '' }
    $offer = if ($words.Count -le 1 -or ($verb -eq 'help' -and $words.Count -eq 2)) { %s }
    elseif ($verb -eq 'sql' -and $words.Count -eq 2) { %s }
    else {
        if ($verb -eq 'sql') { $verb = "sql $($words[2])" }
        if ($wordToComplete -like '-*') { $flags[$verb] } elseif ($verb -eq 'complete') { %s }
    }
    $offer | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
`, quoted(top), quoted(sql), quoted(shellNames))
	return b.String()
}
