package main

import (
	"flag"
	"fmt"
	"strings"
)

var manVerb = verb{
	name:    "man",
	line:    "[--json]",
	summary: "Man prints the manual page, for man -l - or a file aspstate.1.",
	help: `  --json          Print it as a field of a JSON object.

aspstate man | man -l -          reads it at once
aspstate man > /usr/local/share/man/man1/aspstate.1`,
	run: man,
}

// man is the verb.
func man(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	return c.document(*asJSON, "man", manPage(documented(c.all)))
}

// manPage writes the verbs table as a page of section 1, in man(7)'s macros. The
// help of a verb is laid out already.
func manPage(list []verb) string {
	var b strings.Builder
	b.WriteString(`.TH ASPSTATE 1
.SH NAME
aspstate \- keep, show and check the sessions of ASP.NET
.SH SYNOPSIS
`)
	for _, v := range list {
		fmt.Fprintf(&b, ".B aspstate %s\n%s\n.br\n", roff(v.name), roff(v.line))
	}
	fmt.Fprintf(&b, ".B aspstate help\n%s\n.SH VERBS\n", roff("[VERB]"))
	for _, v := range list {
		fmt.Fprintf(&b, ".SS %s\n.B aspstate %s\n%s\n.PP\n%s\n.PP\n.nf\n%s\n.fi\n", roff(v.name), roff(v.name), roff(v.line), roff(v.summary), roff(v.help))
	}
	b.WriteString(`.SH EXIT STATUS
.TP
.B 0
All went well.
.TP
.B 1
The data is bad, or something could not be read, written or found: standard error
says what.
.TP
.B 2
The command line is wrong.
.PP
What a verb takes for well is said with the verb.
.SH SECURITY
A session's id is a bearer secret: verbs print a short hash of it,
.BR h\- ,
unless told
.BR \-\-ids .
`)
	return b.String()
}

// roff escapes text: backslashes, dashes that are to be dashes, and what a line
// must not begin with.
func roff(s string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
