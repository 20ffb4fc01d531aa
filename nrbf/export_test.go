package nrbf

// Reencode writes from the graph where Append would hand back what was read.
func Reencode(g *Graph, dst []byte) ([]byte, error) { return g.encode(dst) }

// RefuseGadget is the check of the building calls.
var RefuseGadget = refuseGadget
