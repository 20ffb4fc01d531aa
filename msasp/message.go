package msasp

// Port is the protocol's TCP port.
const Port = 42424

// Version is what X-AspNet-Version says: ASP.NET's client refuses a server that
// does not say at least 2.
const Version = "4.0.30319"

// Statuses of replies. 409 exists between Go clients and our server only.
const (
	StatusOK         = 200
	StatusBadRequest = 400
	StatusNotFound   = 404
	StatusConflict   = 409
	StatusLocked     = 423
)

// A Verb is a request's method.
type Verb uint8

// The verbs (MS-ASP 2.1).
const (
	GET Verb = iota + 1
	PUT
	DELETE
	HEAD
)

var verbNames = [...]string{GET: "GET", PUT: "PUT", DELETE: "DELETE", HEAD: "HEAD"}

func (v Verb) String() string {
	if v >= GET && v <= HEAD {
		return verbNames[v]
	}
	return "?"
}

// Exclusive is the lock mode of a GET.
type Exclusive uint8

// The modes. A header of any other value is ExclusiveBad.
const (
	ExclusiveNone Exclusive = iota
	ExclusiveAcquire
	ExclusiveRelease
	ExclusiveBad
)

// A Number is a header's int32. The server decides what a bad one means, because
// ASP.NET's looks at some headers only when they matter.
type Number struct {
	Value int32
	Set   bool // the header is there
	Bad   bool // and is no int32
}

// Int32 is a header that is there.
func Int32(v int32) Number { return Number{Value: v, Set: true} }

// A Request is the head of one request; its body is read apart.
type Request struct {
	Verb       Verb
	Target     []byte // as it is on the wire; valid until the next read
	Exclusive  Exclusive
	Timeout    Number // minutes
	LockCookie Number
	ExtraFlags Number
	Ours       bool // the Aspsession header
	Length     int  // of the body, bytes
}

// A Reply is the head of one reply; its body is read apart.
type Reply struct {
	Status      int
	ActionFlags Number // 1: the item was uninitialized until now
	LockCookie  Number
	Timeout     Number // minutes
	LockAge     Number // seconds
	LockDate    int64  // ticks on the server's wall clock; 0: none
	Ours        bool   // the Aspsession header
	Length      int    // of the body, bytes
}
