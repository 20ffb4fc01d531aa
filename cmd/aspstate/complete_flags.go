package main

import (
	"regexp"
	"slices"
	"strings"
)

// A documented flag, as a verb's help has it: what completion offers and what the
// manual page prints are that one text.
type documentedFlag struct {
	name string // with its dashes
	arg  string // what it takes, "" for nothing
	text string // its first sentence
}

// takesFile reports that the argument is a file's name.
func (f documentedFlag) takesFile() bool { return slices.Contains([]string{"FILE", "DIR", "S"}, f.arg) }

var (
	flagLine = regexp.MustCompile(`^  (--[a-z-]+(?: [A-Z]+(?::[A-Z]+)?)?(?:, --[a-z-]+(?: [A-Z]+)?)*),?(.*)$`)
	sentence = regexp.MustCompile(`[.;](\s|$)`) // its end
	flagName = regexp.MustCompile(`(--[a-z-]+)(?: ([A-Z:]+))?`)
)

// flags reads them out of the help.
func (v *verb) flags() (list []documentedFlag) {
	lines := strings.Split(v.help, "\n")
	for n, line := range lines {
		m := flagLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		text := m[2]
		for _, more := range lines[n+1:] {
			if sentence.MatchString(text) || !strings.HasPrefix(more, "      ") {
				break
			}
			text += " " + more
		}
		text = strings.Join(strings.Fields(text), " ")
		if end := sentence.FindStringIndex(text); end != nil {
			text = text[:end[0]]
		}
		text = clipText(text, summaryWidth)
		for _, f := range flagName.FindAllStringSubmatch(m[1], -1) {
			list = append(list, documentedFlag{f[1], f[2], text})
		}
	}
	return list
}

// documented are the verbs with those that sql has.
func documented(all []verb) (list []verb) {
	for _, v := range all {
		list = append(list, v)
		if v.name == sqlVerb.name {
			list = append(list, sqlVerbs...)
		}
	}
	return list
}

// operand is the last word of a verb's line: what it takes beside flags.
func (v *verb) operand() string {
	words := strings.Fields(v.line)
	if len(words) == 0 || strings.HasPrefix(v.name, "sql") {
		return ""
	}
	if last := words[len(words)-1]; slices.Contains([]string{"FILE", "ID", "SHELL"}, last) {
		return last
	}
	return ""
}
