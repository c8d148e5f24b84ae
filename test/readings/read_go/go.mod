module readings

go 1.21
