using System.Collections.Generic;
using System.Linq;

namespace Shop {

    /// The session item "recent": what the visitor put into the cart last, the latest at the end.
    public static class Recent {
        const int Most = 5;

        public static Queue<string> Note(Queue<string> seen, string sku) {
            var q = new Queue<string>((seen ?? new Queue<string>()).Where(s => s != sku));
            q.Enqueue(sku);
            while (q.Count > Most) q.Dequeue();
            return q;
        }
    }
}
