package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

const recodeHelp = `  --json        Print one JSON object in place of the session: framing, bytesIn and
                bytesOut, sha256In and sha256Out, identical, and for a
                compressed frame inflatedIdentical.
` + framingHelp

// A recodedJSON is what --json prints: how the session written anew compares.
type recodedJSON struct {
	Framing   string `json:"framing"`
	BytesIn   int    `json:"bytesIn"`
	BytesOut  int    `json:"bytesOut"`
	SHA256In  string `json:"sha256In"`
	SHA256Out string `json:"sha256Out"`
	Identical bool   `json:"identical"`
	// InflatedIdentical is left out where nothing is compressed.
	InflatedIdentical *bool `json:"inflatedIdentical,omitempty"`
}

// recode is the verb.
func recode(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	framing := framingFlag(flags)
	if code, done := c.parse(flags, 1); done {
		return code
	}
	in, err := c.read()
	if err != nil {
		return c.fail(err)
	}
	s, err := open(*framing, in)
	if err != nil {
		return c.fail(err)
	}
	out, err := s.recode()
	if err != nil {
		return c.fail(err)
	}
	if !*asJSON {
		return c.write(out, exitOK)
	}
	doc, err := s.recoded(in, out)
	if err != nil {
		return c.fail(err)
	}
	return c.write(jsonText(doc, ""), exitOK)
}

// recoded compares a file with what recode made of it.
func (s *stored) recoded(in, out []byte) (*recodedJSON, error) {
	doc := &recodedJSON{
		Framing: s.framing, BytesIn: len(in), BytesOut: len(out),
		SHA256In: fmt.Sprintf("%x", sha256.Sum256(in)), SHA256Out: fmt.Sprintf("%x", sha256.Sum256(out)),
		Identical: bytes.Equal(in, out),
	}
	if s.framing == framingDeflate {
		again, err := openAs(framingDeflate, out)
		if err != nil {
			return nil, err
		}
		doc.InflatedIdentical = new(bytes.Equal(s.plain, again.plain))
	}
	return doc, nil
}

// read reads FILE.
func (c *call) read() ([]byte, error) {
	in := c.stdin
	if c.file != "-" {
		f, err := os.Open(c.file)
		if err != nil {
			return nil, withoutPath(err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err != nil {
		return nil, withoutPath(err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("more than %d bytes", maxBytes)
	}
	return data, nil
}

// recode decodes and encodes every item, object streams too, and returns the file
// anew.
func (s *stored) recode() ([]byte, error) {
	if s.framing == framingNRBF {
		return recodeStream(s.plain)
	}
	if err := s.items.Recode(); err != nil {
		return nil, err
	}
	for _, item := range slices.Collect(s.items.All()) {
		if item.Type() != payload.TypeObject {
			continue
		}
		value, err := item.Decode(nil)
		if err != nil {
			return nil, err
		}
		stream := value.(payload.Object)
		out, err := recodeStream(stream)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", itemName(item), err)
		}
		switch {
		case bytes.Equal(stream, out):
		case item.NullKey: // nothing can set it
			return nil, fmt.Errorf("%s: it would be written in another form", itemName(item))
		default:
			if err := s.items.Set(item.Key, payload.Object(out)); err != nil {
				return nil, err
			}
		}
	}
	switch s.framing {
	case framingDeflate:
		return s.frame.AppendDeflate(nil)
	case framingStore:
		return s.frame.Append(nil)
	}
	return s.items.Append(nil)
}

// recodeStream reads an object stream and writes it from what was read; bytes
// behind its end stay.
func recodeStream(stream []byte) ([]byte, error) {
	g, err := nrbf.Decode(stream, nrbf.Options{})
	if err != nil {
		return nil, err
	}
	out, err := g.Reencode(nil)
	if err != nil {
		return nil, err
	}
	return append(out, stream[g.Size():]...), nil
}
