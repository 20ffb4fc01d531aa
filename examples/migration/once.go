package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// tour visits both sides as a browser would, and checks what they say.
func tour(ctx context.Context, base string, out io.Writer) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	b := &browser{ctx: ctx, base: base, client: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
	defer b.client.CloseIdleConnections()

	const name, key, value = "Ada Lovelace", "coupon", "SPRING-26"
	var oldName string
	var before fields // the legacy side's first view
	for _, step := range []struct {
		name string
		do   func() (string, error)
	}{
		{"start", func() (string, error) {
			if _, err := b.get("/start"); err != nil {
				return "", err
			}
			if before, err = b.get("/legacy/"); err != nil {
				return "", err
			}
			return fmt.Sprintf("a new visitor is handed ASP.NET's session: %s items, %s", before["captured"], before["size"]),
				before.want("frame", "untouched")
		}},
		{"read", func() (string, error) {
			home, err := b.get("/")
			if err != nil {
				return "", err
			}
			oldName = home["name"]
			return fmt.Sprintf("the Go side greets %q, as ASP.NET stored it", oldName),
				before.want("userName value", oldName)
		}},
		{"edit", func() (string, error) {
			home, err := b.post("/name", url.Values{"name": {name}})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("the Go side sets userName to %q", name), home.want("name", name)
		}},
		{"add", func() (string, error) {
			home, err := b.post("/items", url.Values{"key": {key}, "value": {value}})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("the Go side adds %s = %q", key, value), home.want("own "+key, value)
		}},
		{"legacy", func() (string, error) {
			now, err := b.get("/legacy/")
			if err != nil {
				return "", err
			}
			others := before["captured"]
			if n := 0; len(others) > 0 {
				_, _ = fmt.Sscan(others, &n)
				others = fmt.Sprint(n - 1)
			}
			return fmt.Sprintf("the legacy side shows both, and %s of %s captured items byte for byte as ASP.NET wrote them", now["same"], now["captured"]),
				errors.Join(
					now.want("userName value", name), now.want("userName state", changed),
					now.want(key+" value", value), now.want(key+" state", added), now.want("same", others))
		}},
		{"cart", func() (string, error) {
			now, err := b.get("/legacy/")
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("the ShoppingCart is unchanged: %s, sha256 %.16s… then and now", now["cart size now"], now["cart sum now"]),
				errors.Join(
					now.want("cart state", same), now.want("cart size now", before["cart size now"]),
					now.want("cart sum then", now["cart sum now"]), before.want("cart sum now", now["cart sum now"]))
		}},
	} {
		line, err := step.do()
		if err != nil {
			return fmt.Errorf("migration: step %q: %w", step.name, err)
		}
		fmt.Fprintf(out, "%-7s %s\n", step.name, line)
	}
	return nil
}

// A browser keeps its cookies and follows redirects.
type browser struct {
	ctx    context.Context
	base   string
	client *http.Client
}

func (b *browser) get(path string) (fields, error) { return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, form url.Values) (fields, error) {
	return b.do(http.MethodPost, path, form)
}

func (b *browser) do(method, path string, form url.Values) (fields, error) {
	req, err := http.NewRequestWithContext(b.ctx, method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return readFields(body)
}

// fields are the texts of a page's elements, by their data-field.
type fields map[string]string

func (f fields) want(name, value string) error {
	if got, ok := f[name]; !ok || got != value {
		return fmt.Errorf("the page's %s is %q, not %q", name, got, value)
	}
	return nil
}

// readFields reads a page; ours are all well-formed.
func readFields(body []byte) (fields, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	f := make(fields)
	var open []string // the data-field of every open element, "" for none
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the page is malformed: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := ""
			for _, a := range t.Attr {
				if a.Name.Local == "data-field" {
					name = a.Value
					f[name] = ""
				}
			}
			open = append(open, name)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, name := range open {
				if name != "" {
					f[name] += string(t)
				}
			}
		}
	}
}
