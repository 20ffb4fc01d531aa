package sqlserver_test

import (
	"testing"

	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
	"github.com/aspsession/aspsession/stores/storetest"
)

func TestStore(t *testing.T) {
	for name, layout := range map[string]sqlserver.Layout{
		"classic": sqlserver.Classic, "async 1.1": sqlserver.AsyncCompat, "async": sqlserver.Async,
		"async in memory": sqlserver.AsyncInMemory, "async in memory, durable": sqlserver.AsyncInMemoryDurable,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, layout, func(t *testing.T, b backend) {
				storetest.Run(t, func(t *testing.T) storetest.Harness {
					opt := sqlserver.Options{ConnectionString: b.dsn, Layout: layout}
					return storetest.Harness{Store: open(t, opt), Second: open(t, opt), Advance: b.advance}
				})
			})
		})
	}
	variants := map[string]struct {
		db  sqlservertest.Database
		opt sqlserver.Options
	}{
		"compressed":    {sqlservertest.Database{}, sqlserver.Options{Compress: true}},
		"2.0 era":       {sqlservertest.Database{Layouts: []sqlservertest.Layout{sqlservertest.Classic2}}, sqlserver.Options{}},
		"in tempdb":     {sqlservertest.Database{TempTables: true}, sqlserver.Options{}},
		"custom":        {sqlservertest.Database{Name: "Shop State"}, sqlserver.Options{}},
		"compat":        {sqlservertest.Database{}, sqlserver.Options{Layout: sqlserver.AsyncCompat}},
		"1.1 in memory": {sqlservertest.Database{Layouts: []sqlservertest.Layout{sqlservertest.Async11InMemory}}, sqlserver.Options{Layout: sqlserver.AsyncCompat}},
		"a custom table": {sqlservertest.Database{Layouts: []sqlservertest.Layout{sqlservertest.Async2}, SessionTable: "Shop"},
			sqlserver.Options{Layout: sqlserver.Async, Table: "Shop"}},
	}
	for name, v := range variants {
		t.Run(name, func(t *testing.T) {
			srv := runWith(t, v.db)
			v.opt.ConnectionString = srv.DSN()
			storetest.Run(t, func(t *testing.T) storetest.Harness {
				return storetest.Harness{Store: open(t, v.opt), Second: open(t, v.opt), Advance: srv.Advance}
			})
		})
	}
}
