package stateservice

import "github.com/aspsession/aspsession/msasp"

// Why a Set or Remove is refused, as the log has it.
const (
	badHeader = "a header is no number, or out of range"
	noJournal = "the journal takes no more"
	overItems = "MaxItems"
	overBytes = "MaxBytes"
	overBody  = "MaxBody"
)

// refused answers 400, which is all that ASP.NET's client does not ignore.
func (c *call) refused(why string) {
	c.rep.Status, c.why = msasp.StatusBadRequest, why
}

// reserve adds so much to what is stored, or returns the limit that is in the
// way. Shards ask at the same time: add first, look after.
func (e *engine) reserve(items, bytes int) (why string) {
	n, sum := e.items.Add(int64(items)), e.bytes.Add(int64(bytes))
	switch {
	case e.opt.MaxItems > 0 && items > 0 && n > int64(e.opt.MaxItems):
		why = overItems
	case e.opt.MaxBytes > 0 && bytes > 0 && sum > e.opt.MaxBytes:
		why = overBytes
	default:
		return ""
	}
	e.items.Add(-int64(items))
	e.bytes.Add(-int64(bytes))
	return why
}
