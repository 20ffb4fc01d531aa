module github.com/aspsession/aspsession/benchmarks

go 1.26

require github.com/aspsession/aspsession v0.0.0

replace github.com/aspsession/aspsession => ../
