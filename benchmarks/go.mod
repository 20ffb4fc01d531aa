module github.com/aspsession/aspsession/benchmarks

go 1.26.0

require github.com/aspsession/aspsession v0.0.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/gorilla/securecookie v1.1.2 // indirect
)

replace github.com/aspsession/aspsession => ../
