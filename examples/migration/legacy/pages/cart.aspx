<%@ Page Language="C#" MasterPageFile="~/Site.master" Title="Cart · the shop" ValidateRequest="false" %>
<%@ Import Namespace="System.Collections.Generic" %>
<%@ Import Namespace="System.Globalization" %>
<%@ Import Namespace="System.Linq" %>
<%@ Import Namespace="Shop" %>
<script runat="server">
    static readonly ShoppingCart none = new ShoppingCart();

    protected string Currency { get { return (string)Session["currency"]; } }
    protected ShoppingCart Cart { get { return (ShoppingCart)Session["cart"] ?? none; } }

    // Eval wants properties, and a cart's lines have fields.
    protected static CartLine Line(RepeaterItem item) { return (CartLine)item.DataItem; }

    void Page_Load(object sender, EventArgs e) {
        if (IsPostBack) return;
        Show();
        switch (Request.QueryString["done"]) {
            case "update": Notice.Text = "Your cart is updated."; break;
            case "remove": Notice.Text = "The product is removed."; break;
            case "lost": Problem.Text = "Nothing was changed: there was no cart. Your session may have ended."; break;
        }
    }

    void Show() {
        Lines.DataSource = Cart.Lines;
        Lines.DataBind();
    }

    // All quantities or none: what is wrong with one changes nothing.
    void Update(object sender, EventArgs e) {
        var typed = new Dictionary<string, string>();
        foreach (RepeaterItem line in Lines.Items) typed[Sku(line)] = Qty(line).Text;
        string wrong = typed.Keys.FirstOrDefault(sku => !Valid(typed[sku]));
        if (wrong == null) Change("update", cart => { foreach (var t in typed) cart.SetQty(t.Key, int.Parse(t.Value)); });
        else Refuse(wrong, typed);
    }

    void Remove(object sender, RepeaterCommandEventArgs e) {
        Change("remove", cart => cart.SetQty((string)e.CommandArgument, 0));
    }

    // What the visitor typed, beside what is in the cart by now.
    void Refuse(string wrong, Dictionary<string, string> typed) {
        Product p = Catalogue.Find(wrong);
        Problem.Text = Server.HtmlEncode((p == null ? wrong : p.Name) + ": the quantity must be a whole number from 0 to " + ShoppingCart.MaxQty + ".");
        Show();
        foreach (RepeaterItem line in Lines.Items) {
            string text;
            if (!typed.TryGetValue(Sku(line), out text)) continue;
            TextBox box = Qty(line);
            box.Text = text;
            if (Valid(text)) continue;
            box.Attributes["aria-invalid"] = "true";
            box.Attributes["aria-describedby"] = "problem";
        }
    }

    // The session may have ended since the form was made.
    void Change(string done, Action<ShoppingCart> change) {
        var cart = (ShoppingCart)Session["cart"];
        if (cart == null) {
            done = "lost";
        } else {
            change(cart);
            Session["cart"] = cart;
        }
        Response.Redirect("/cart.aspx?done=" + done, false);
    }

    static string Sku(RepeaterItem line) { return ((HiddenField)line.FindControl("Sku")).Value; }
    static TextBox Qty(RepeaterItem line) { return (TextBox)line.FindControl("Qty"); }

    static bool Valid(string text) {
        int qty;
        return int.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out qty) && qty <= ShoppingCart.MaxQty;
    }
</script>
<asp:Content ContentPlaceHolderID="Main" runat="server">
<% if (Notice.Text != "") { %><p class="notice" role="status" data-field="notice"><asp:Literal ID="Notice" runat="server" EnableViewState="false" /></p><% } %>
<h1>Your cart</h1>
<p class="lead"><span data-field="count"><%= Cart.Count %></span> <%= Cart.Count == 1 ? "piece" : "pieces" %>, <span data-field="total"><%: Money.Text(Cart.Total, Currency) %></span> in all.</p>
<% if (Problem.Text != "") { %><p class="problem" role="alert" id="problem" data-field="problem"><asp:Literal ID="Problem" runat="server" EnableViewState="false" /></p><% } %>
<form id="Form" runat="server">
<% if (Lines.Items.Count == 0) { %><p>There is nothing in it yet. <a href="/catalogue.aspx">To the catalogue</a></p>
<% } else { %><%-- The first button is the one that Enter presses. --%>
<p>Change the quantities, 0 removes a product: <asp:Button runat="server" CssClass="button" Text="Update" OnClick="Update" data-button="update" /></p>
<table class="list">
  <thead><tr><th scope="col">Product</th><th scope="col" class="num">Price</th><th scope="col" class="num">In the cart</th><th scope="col">Quantity</th><th scope="col">Remove</th></tr></thead>
  <tbody>
<asp:Repeater ID="Lines" runat="server" OnItemCommand="Remove">
  <ItemTemplate>    <tr><th scope="row" data-label="Product"><%# Server.HtmlEncode(Line(Container).Name) %></th><td class="num" data-label="Price"><%# Money.Text(Line(Container).Price, Currency) %></td>
      <td class="num" data-label="In the cart"><span data-field="qty <%# Server.HtmlEncode(Line(Container).Sku) %>"><%# Line(Container).Qty %></span></td>
      <td data-label="Quantity"><asp:HiddenField ID="Sku" runat="server" Value='<%# Line(Container).Sku %>' /><asp:TextBox ID="Qty" runat="server" Text='<%# Line(Container).Qty %>' size="4" autocomplete="off" inputmode="numeric" data-input='<%# "qty " + Line(Container).Sku %>' aria-label='<%# "Quantity of " + Line(Container).Name %>' /></td>
      <td data-label="Remove"><asp:Button runat="server" CssClass="quiet" Text="Remove" CommandArgument='<%# Line(Container).Sku %>' data-button='<%# "remove " + Line(Container).Sku %>' aria-label='<%# "Remove " + Line(Container).Name %>' /></td></tr>
  </ItemTemplate>
</asp:Repeater>
  </tbody>
</table>
<p class="cross"><a class="button go" href="/checkout.aspx">Checkout</a></p>
<% } %></form>
<% if (Session["lastOrder"] != null) { %><p>Orders so far: <span data-field="orders"><%: Session["orders"] %></span>. The last one: <span data-field="last order"><%: Session["lastOrder"] %></span>.</p><% } %>
</asp:Content>
