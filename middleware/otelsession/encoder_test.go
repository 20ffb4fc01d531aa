package otelsession_test

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// encoder writes attributes for the tests' tables.
type encoder struct{}

var encoderID = attribute.NewEncoderID()

func (encoder) ID() attribute.EncoderID { return encoderID }

func (encoder) Encode(i attribute.Iterator) string {
	var parts []string
	for i.Next() {
		a := i.Attribute()
		parts = append(parts, string(a.Key)+"="+a.Value.Emit())
	}
	return strings.Join(parts, " ")
}
