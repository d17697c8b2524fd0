module target

go 1.16
