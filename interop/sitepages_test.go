package interop_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// sitePages are the pages of a Go site: each prints what the .aspx page of its
// name prints, but for times of day.
var sitePages = map[string]struct {
	access session.Access
	page   func(r *http.Request, s *session.Session) (string, error)
}{
	"values":  {session.ReadWrite, valuesPage},
	"dump":    {session.ReadOnly, dumpPage},
	"slow":    {session.ReadWrite, incrementPage},
	"rostamp": {session.ReadOnly, readPage},
	"hold":    {session.ReadWrite, holdPage},
	"holdro":  {session.ReadOnly, holdPage},
	"touch":   {session.ReadWrite, touchPage},
	"cart":    {session.ReadWrite, cartPage},
	"abandon": {session.ReadWrite, func(_ *http.Request, s *session.Session) (string, error) { return "abandoned\n", s.Abandon() }},
}

// serveSite is the child: it serves until its standard input ends.
func serveSite(config string) error {
	var opt goSiteOptions
	if err := json.Unmarshal([]byte(config), &opt); err != nil {
		return err
	}
	store, err := stateserver.New(stateserver.Options{Addr: opt.Server, AppID: appID, Compress: opt.Compress})
	if err != nil {
		return err
	}
	var types nrbf.Types
	if err := registerModels(&types); err != nil {
		return err
	}
	m, err := middleware.New(store, middleware.Options{Session: session.Options{Types: &types, ExecutionTimeout: opt.ExecutionTimeout}})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	for name, p := range sitePages {
		mux.Handle("/"+name+".aspx", wrap(m, p.access, p.page))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	failed := make(chan error, 2)
	go func() { failed <- http.Serve(ln, mux) }()
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		failed <- err
	}()
	return <-failed
}

// registerModels says which Go types stand for the C# classes of the pages.
func registerModels(types *nrbf.Types) error {
	return errors.Join(
		nrbf.Register[shoppingCart](types, "Rig.ShoppingCart", models),
		nrbf.Register[cartLine](types, "Rig.CartLine", models),
		nrbf.RegisterValue[point2](types, "Rig.Point2", models),
		nrbf.RegisterValue[colour](types, "Rig.Colour", models),
		nrbf.RegisterValue[rights](types, "Rig.Rights", models),
	)
}

// incrementPage is slow.aspx, which need not be slow.
func incrementPage(r *http.Request, s *session.Session) (string, error) {
	n, err := increment(r.Context(), s)
	return "slow n=" + n + "\n", err
}

func readPage(_ *http.Request, s *session.Session) (string, error) {
	n, err := session.Value[int](s, "n")
	return fmt.Sprintf("ro n=%d\n", n), err
}

// holdPage is hold.aspx and holdro.aspx. As they do, it goes on when its client
// is gone or its lock is broken.
func holdPage(r *http.Request, s *session.Session) (string, error) {
	n, err := session.Value[int](s, "n")
	if err != nil {
		return "", err
	}
	resp, err := http.Get(r.FormValue("until"))
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	if s.ReadOnly() {
		return fmt.Sprintf("holdro n=%d\n", n), nil
	}
	return fmt.Sprintf("hold n=%d\n", n+1), s.Set("n", n+1)
}

func touchPage(r *http.Request, s *session.Session) (string, error) {
	n, err := strconv.Atoi(r.FormValue("n"))
	if err != nil {
		return "", err
	}
	count, err := s.Len()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("touch id=%s new=%s count=%d\n", s.ID(), dotNetBool(s.IsNew()), count), s.Set("touched", n)
}

func cartPage(r *http.Request, s *session.Session) (string, error) {
	qty, err := strconv.Atoi(r.FormValue("qty"))
	if err != nil {
		return "", err
	}
	price, err := clr.ParseDecimal(r.FormValue("price"))
	if err != nil {
		return "", err
	}
	cart, err := session.Value[*shoppingCart](s, "cart")
	if err != nil {
		return "", err
	}
	if cart == nil {
		cart = &shoppingCart{Owner: "alice", Created: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)}
	}
	cart.edit(cartLine{r.FormValue("sku"), qty, price})
	return cart.String() + "\n", s.Set("cart", cart)
}

// edit is what a visitor does to his cart on cart.aspx.
func (c *shoppingCart) edit(line cartLine) {
	if len(c.Lines) > 0 {
		c.Lines[0].Qty++
	}
	c.Lines = append(c.Lines, line)
	if len(c.Lines) == 5 {
		c.Lines = append(c.Lines[:1], c.Lines[2:]...)
	}
}

// String is what cart.aspx shows of it.
func (c *shoppingCart) String() string {
	lines := make([]string, len(c.Lines))
	for i, l := range c.Lines {
		lines[i] = fmt.Sprintf("%sx%d@%s", l.Sku, l.Qty, l.Price)
	}
	return c.Owner + " " + c.Created.Format("2006-01-02T15:04:05") + " " + strings.Join(lines, ",")
}

// dotNetBool is Boolean.ToString.
func dotNetBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
