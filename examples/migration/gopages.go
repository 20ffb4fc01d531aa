package main

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/session"
)

const maxForm = 16 << 10 // bytes

// goPages are the pages that were written anew.
func goPages(p *pages) map[string]http.Handler {
	return map[string]http.Handler{
		"/cart.aspx":     p.page(p.cart, p.changeCart),
		"/checkout.aspx": p.page(p.checkout, p.order),
		"/signout.aspx":  p.page(p.signOut, p.leave),
	}
}

// cartPage is the view of cart.html and checkout.html.
type cartPage struct {
	page
	Lines     []lineView
	Count     int
	Total     string
	Ordered   bool // there is a last order
	Orders    int
	LastOrder string
}

type lineView struct {
	CartLine
	Money, Sum string
	Typed      string // what is in the quantity's field
	Invalid    bool
}

var cartNotices = map[string]string{
	"update": "Your cart is updated.",
	"remove": "The product is removed.",
}

const lost = "Nothing was changed: your session had ended, or your browser did not send its cookie. A new one has begun."

func (p *pages) cart(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	v, err := p.viewCart("Cart", r, s)
	if err != nil {
		return err
	}
	v.Notice = cartNotices[r.URL.Query().Get("done")]
	if r.URL.Query().Get("done") == "moved" {
		v.Problem = "Nothing was changed: this page is a new one. Please try again."
	}
	render(w, http.StatusOK, "cart.html", v)
	return nil
}

// changeCart takes the form of the cart: all quantities or none.
func (p *pages) changeCart(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	if s.IsNew() {
		return again(w, r, "/cart.aspx?done=lost")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return p.refuse(w, r, s, "The form could not be read. Please try again.", nil)
	}
	if r.PostForm.Has("__VIEWSTATE") { // a tab with the legacy half's page, from before the move
		return again(w, r, "/cart.aspx?done=moved")
	}
	cart, err := session.Value[ShoppingCart](s, "cart") // (ShoppingCart)Session["cart"]
	if err != nil {
		return err
	}
	done := "update"
	if sku := r.PostForm.Get("remove"); sku != "" {
		done = "remove"
		cart.SetQty(sku, 0)
	} else if problem, wrong := setQuantities(&cart, r.PostForm); problem != "" {
		return p.refuse(w, r, s, problem, wrong)
	}
	if has, err := s.Has("cart"); err != nil || !has {
		return errors.Join(err, again(w, r, "/cart.aspx")) // emptied meanwhile
	}
	if err := s.Set("cart", cart); err != nil {
		return err
	}
	return again(w, r, "/cart.aspx?done="+done)
}

// setQuantities reads the fields qty_SKU of the lines in the cart. A line without
// one stays: it came after the form was made.
func setQuantities(cart *ShoppingCart, form map[string][]string) (problem string, wrong map[string]string) {
	wrong = make(map[string]string)
	for _, line := range slices.Clone(cart.Lines) {
		typed, ok := form["qty_"+line.Sku]
		if !ok {
			continue
		}
		qty, err := strconv.ParseUint(strings.TrimSpace(typed[0]), 10, 16)
		if err != nil || qty > maxQty {
			if wrong[line.Sku] = strings.ToValidUTF8(typed[0], "\uFFFD"); problem == "" {
				problem = fmt.Sprintf("%s: the quantity must be a whole number from 0 to %d.", line.Name, maxQty)
			}
			continue
		}
		cart.SetQty(line.Sku, int(qty))
	}
	return problem, wrong
}

// refuse shows the cart as it is stored, with what was wrong in the fields.
func (p *pages) refuse(w http.ResponseWriter, r *http.Request, s *session.Session, problem string, wrong map[string]string) error {
	v, err := p.viewCart("Cart", r, s)
	if err != nil {
		return err
	}
	v.Problem = problem
	for i, line := range v.Lines {
		if typed, ok := wrong[line.Sku]; ok {
			v.Lines[i].Typed, v.Lines[i].Invalid = typed, true
		}
	}
	render(w, http.StatusUnprocessableEntity, "cart.html", v)
	return nil
}

func (p *pages) checkout(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	v, err := p.viewCart("Checkout", r, s)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("done") == "order" && v.Ordered {
		v.Notice = "Thank you. Your order is placed."
	}
	render(w, http.StatusOK, "checkout.html", v)
	return nil
}

// order empties the cart and keeps whose it is. The legacy pages read orders as
// (int)Session["orders"]: a Go int is stored as an Int32.
func (p *pages) order(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	if s.IsNew() {
		return again(w, r, "/checkout.aspx?done=lost")
	}
	v, err := p.viewCart("Checkout", r, s)
	if err != nil {
		return err
	}
	if v.Count == 0 {
		v.Problem = "There is nothing in your cart to order."
		render(w, http.StatusUnprocessableEntity, "checkout.html", v)
		return nil
	}
	cart, err := session.Value[ShoppingCart](s, "cart")
	if err != nil {
		return err
	}
	cart.Lines = []CartLine{}
	for _, err := range []error{
		s.Set("cart", cart),
		s.Set("orders", v.Orders+1),
		s.Set("lastOrder", fmt.Sprintf("%d pieces for %s", v.Count, v.Total)),
	} {
		if err != nil {
			return err
		}
	}
	return again(w, r, "/checkout.aspx?done=order")
}

func (p *pages) signOut(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	v := p.view("Sign out", r)
	if err := v.greet(s); err != nil {
		return err
	}
	render(w, http.StatusOK, "signout.html", v)
	return nil
}

// leave is Session.Abandon(): the session ends for both halves.
func (p *pages) leave(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	if err := s.Abandon(); err != nil {
		return err
	}
	return again(w, r, "/catalogue.aspx?done=signout")
}

// viewCart reads what the pages with the cart show.
func (p *pages) viewCart(title string, r *http.Request, s *session.Session) (v cartPage, err error) {
	v.page = p.view(title, r)
	if r.URL.Query().Get("done") == "lost" {
		v.Problem = lost
	}
	if err := v.greet(s); err != nil {
		return v, err
	}
	cart, err := session.Value[ShoppingCart](s, "cart") // an empty one where there is none
	if err != nil {
		return v, err
	}
	currency, err := session.Value[string](s, "currency")
	if err == nil && currency == "" {
		err = errors.New("migration: the session has no currency: Session_Start did not run")
	}
	if err != nil {
		return v, err
	}
	total, err := cart.Total()
	if err != nil {
		return v, err
	}
	v.Count, v.Total = cart.Count(), money(total.Rat(), currency)
	for _, line := range cart.Lines {
		v.Lines = append(v.Lines, lineView{
			CartLine: line, Typed: strconv.Itoa(line.Qty),
			Money: money(line.Price.Rat(), currency), Sum: money(line.sum(), currency),
		})
	}
	return v, v.readOrders(s)
}

func (v *cartPage) readOrders(s *session.Session) (err error) {
	if v.Ordered, err = s.Has("lastOrder"); err != nil {
		return err
	}
	if v.Orders, err = session.Value[int](s, "orders"); err != nil {
		return err
	}
	v.LastOrder, err = session.Value[string](s, "lastOrder")
	return err
}

// money is the C# pages' ToString("0.00").
func money(amount *big.Rat, currency string) string { return amount.FloatString(2) + " " + currency }

// again sends the browser to a page, so that loading it once more repeats
// nothing.
func again(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
