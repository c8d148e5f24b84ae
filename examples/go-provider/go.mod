module example.com/go-provider

go 1.19
