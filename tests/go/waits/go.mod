module waits

go 1.16
