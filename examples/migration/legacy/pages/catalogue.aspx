<%@ Page Language="C#" MasterPageFile="~/Site.master" Title="Catalogue · the shop" %>
<%@ Import Namespace="System.Collections.Generic" %>
<%@ Import Namespace="Shop" %>
<script runat="server">
    protected string Currency { get { return (string)Session["currency"]; } }
    protected ShoppingCart Cart { get { return (ShoppingCart)Session["cart"]; } }
    protected Queue<string> RecentlyAdded { get { return (Queue<string>)Session["recent"]; } }

    void Page_Load(object sender, EventArgs e) {
        if (IsPostBack) return;
        Products.DataSource = Catalogue.All;
        Products.DataBind();
        Product added = Catalogue.Find(Request.QueryString["added"]);
        if (added != null) Notice.Text = Server.HtmlEncode(added.Name + " is in your cart.");
        if (Request.QueryString["done"] == "signout") Notice.Text = "You are signed out.";
    }

    void Add(object sender, RepeaterCommandEventArgs e) {
        Product p = Catalogue.Find((string)e.CommandArgument);
        if (p == null) return;
        ShoppingCart cart = Cart ?? new ShoppingCart { Owner = (string)Session["user"] ?? "" };
        if (!cart.Add(p.Sku, p.Name, 1, p.Price)) {
            Problem.Text = Server.HtmlEncode(p.Name + ": " + ShoppingCart.MaxQty + " pieces are the most that one order may have.");
            return;
        }
        Session["cart"] = cart;
        Session["recent"] = Recent.Note(RecentlyAdded, p.Sku);
        Response.Redirect("/catalogue.aspx?added=" + p.Sku, false);
    }
</script>
<asp:Content ContentPlaceHolderID="Main" runat="server">
<% if (Notice.Text != "") { %><p class="notice" role="status" data-field="notice"><asp:Literal ID="Notice" runat="server" EnableViewState="false" /></p><% } %>
<h1>Catalogue</h1>
<p class="lead">Your cart holds <span data-field="count"><%= Cart == null ? 0 : Cart.Count %></span> <%= Cart != null && Cart.Count == 1 ? "piece" : "pieces" %> for <span data-field="total"><%: Money.Text(Cart == null ? 0 : Cart.Total, Currency) %></span>.</p>
<% if (Problem.Text != "") { %><p class="problem" role="alert" data-field="problem"><asp:Literal ID="Problem" runat="server" EnableViewState="false" /></p><% } %>
<form id="Form" runat="server">
<table class="list">
  <thead><tr><th scope="col">Product</th><th scope="col" class="num">Price</th><th scope="col">Buy</th></tr></thead>
  <tbody>
<asp:Repeater ID="Products" runat="server" OnItemCommand="Add">
  <ItemTemplate>    <tr><th scope="row" data-label="Product"><%# Server.HtmlEncode((string)Eval("Name")) %></th><td class="num" data-label="Price"><%# Money.Text((decimal)Eval("Price"), Currency) %></td>
      <td data-label="Buy"><asp:Button runat="server" CssClass="button" Text="Add to cart" CommandArgument='<%# Eval("Sku") %>' data-button='<%# "add " + Eval("Sku") %>' aria-label='<%# "Add to cart: " + Eval("Name") %>' /></td></tr>
  </ItemTemplate>
</asp:Repeater>
  </tbody>
</table>
</form>
<% if (RecentlyAdded != null) { %><p>Added last: <span data-field="recent"><%: string.Join(", ", RecentlyAdded) %></span>.</p><% } %>
</asp:Content>
