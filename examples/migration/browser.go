package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// A browser is a visitor in a program: it keeps cookies, follows redirects, reads
// pages and presses their buttons.
type browser struct {
	base   string
	client *http.Client
}

func newBrowser(base string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("migration: %w", err)
	}
	return &browser{base, &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{}}}, nil
}

// shown is a page as a visitor has it before him.
type shown struct {
	URL     *url.URL
	Status  int
	Header  http.Header
	Body    string
	Fields  map[string]string // texts by the data-field of their element
	Buttons []button
}

// A button and the form that it sends.
type button struct {
	Label, Data string // what is on it, its data-button
	Name, Value string
	form        *form
}

type form struct {
	action string
	values url.Values        // as the page has them
	inputs map[string]string // the names of inputs, by their data-input
}

func (b *browser) get(ctx context.Context, path string) (*shown, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		return nil, err
	}
	return b.do(req)
}

// press sends the form of a button, with the inputs that are given by their
// data-input and value.
func (b *browser) press(ctx context.Context, on *shown, label string, inputs ...string) (*shown, error) {
	req, err := on.request(ctx, label, inputs...)
	if err != nil {
		return nil, err
	}
	return b.do(req)
}

// request is what pressing a button sends.
func (p *shown) request(ctx context.Context, label string, inputs ...string) (*http.Request, error) {
	for _, button := range p.Buttons {
		if button.Data != label && !strings.EqualFold(button.Label, label) {
			continue
		}
		values := maps.Clone(button.form.values)
		for i := 0; i+1 < len(inputs); i += 2 {
			name, ok := button.form.inputs[inputs[i]]
			if !ok {
				return nil, fmt.Errorf("%s has no input %q", p.URL.Path, inputs[i])
			}
			values[name] = []string{inputs[i+1]}
		}
		if button.Name != "" {
			values[button.Name] = []string{button.Value}
		}
		to, err := p.URL.Parse(button.form.action)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(values.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	return nil, fmt.Errorf("%s has no button %q", p.URL.Path, label)
}

func (b *browser) do(req *http.Request) (*shown, error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	p := &shown{URL: resp.Request.URL, Status: resp.StatusCode, Header: resp.Header, Body: string(body), Fields: make(map[string]string)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		err = p.read(body)
	}
	return p, err
}

// read reads a page; those of both halves are well-formed.
func (p *shown) read(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string // the data-field of every open element, "" for none
	var in *form
	var label *string // of the button that is open
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the page is malformed: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			a := attributes(t)
			open = append(open, a["data-field"])
			if a["data-field"] != "" {
				p.Fields[a["data-field"]] = ""
			}
			switch tag := t.Name.Local; {
			case tag == "form":
				in = &form{action: a["action"], values: url.Values{}, inputs: make(map[string]string)}
			case in == nil:
			case tag == "button", tag == "input" && a["type"] == "submit":
				label = p.button(a, in)
			case tag == "input":
				in.values.Set(a["name"], a["value"])
				in.inputs[a["data-input"]] = a["name"]
			}
		case xml.EndElement:
			open = open[:len(open)-1]
			switch t.Name.Local {
			case "form":
				in = nil
			case "button":
				label = nil
			}
		case xml.CharData:
			for _, name := range open {
				if name != "" {
					p.Fields[name] += string(t)
				}
			}
			if label != nil {
				*label += string(t)
			}
		}
	}
}

// button notes a button, and returns where its text goes.
func (p *shown) button(a map[string]string, in *form) *string {
	b := button{Data: a["data-button"], Name: a["name"], Value: a["value"], form: in}
	if a["type"] == "submit" {
		b.Label = b.Value // an input, whose text is its value
	}
	p.Buttons = append(p.Buttons, b)
	return &p.Buttons[len(p.Buttons)-1].Label
}

func attributes(t xml.StartElement) map[string]string {
	m := make(map[string]string, len(t.Attr))
	for _, a := range t.Attr {
		m[a.Name.Local] = a.Value
	}
	return m
}
