module server

go 1.16
