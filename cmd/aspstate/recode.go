package main

import "flag"

// recode is the verb.
func recode(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	framing := framingFlag(flags)
	if code, done := c.parse(flags, 1); done {
		return code
	}
	s, err := c.load(*framing)
	if err != nil {
		return c.fail(err)
	}
	out, err := s.recode()
	if err != nil {
		return c.fail(err)
	}
	return c.write(out, exitOK)
}

// recode decodes and encodes every item and returns the file anew. A stream
// alone is opaque: opening it has checked all that can be checked.
func (s *stored) recode() ([]byte, error) {
	if s.framing == framingNRBF {
		return s.plain, nil
	}
	if err := s.items.Recode(); err != nil {
		return nil, err
	}
	switch s.framing {
	case framingDeflate:
		return s.frame.AppendDeflate(nil)
	case framingStore:
		return s.frame.Append(nil)
	}
	return s.items.Append(nil)
}
